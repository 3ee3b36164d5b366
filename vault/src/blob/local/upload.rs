//! Uploads of content: hashed and written on a blocking thread, while the next buffer fills.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::digest;
use bytes::Bytes;
use tokio::task::JoinHandle;

use super::{
    super::buffer_budget::{Buffer, BufferBudget},
    DurableDirs, blocking, failed, folder, object_path,
};
use crate::{Blob, BlobId, BlobUpload, VaultError};

/// See [`BlobUpload`]. Holds at most two buffers: one that fills, one that is written.
#[derive(Debug)]
pub struct LocalUpload {
    max_size: u64,
    received: u64,
    filling: Option<Buffer>,
    sink: WriterState,
    budget: BufferBudget,
}

#[derive(Debug)]
enum WriterState {
    Idle(Sink),
    Busy(JoinHandle<io::Result<Sink>>),
    /// An earlier write failed and was reported.
    Failed,
}

impl LocalUpload {
    pub(super) fn new(
        lfs: PathBuf,
        max_size: u64,
        durable: DurableDirs,
        budget: BufferBudget,
    ) -> Self {
        let sink = Sink {
            lfs,
            durable,
            hash: digest::Context::new(&digest::SHA256),
            size: 0,
            temporary: None,
        };
        Self {
            max_size,
            received: 0,
            filling: None,
            sink: WriterState::Idle(sink),
            budget,
        }
    }

    /// Waits until the last buffer is written.
    pub(super) async fn writer(&mut self) -> Result<Sink, VaultError> {
        match std::mem::replace(&mut self.sink, WriterState::Failed) {
            WriterState::Idle(sink) => Ok(sink),
            WriterState::Busy(write) => {
                let written = write
                    .await
                    .unwrap_or_else(|gone| Err(io::Error::other(gone)));
                written.map_err(failed)
            }
            WriterState::Failed => Err(VaultError::Incomplete),
        }
    }

    #[cfg(test)]
    pub(super) fn is_buffering(&self) -> bool {
        self.filling.is_some()
    }

    /// Starts to write what is buffered, after what was handed over before.
    async fn hand_over(&mut self) -> Result<(), VaultError> {
        let Some(batch) = self.filling.take() else {
            return Ok(());
        };
        let mut sink = self.writer().await?;
        self.sink = WriterState::Busy(tokio::task::spawn_blocking(move || {
            sink.take(&batch.bytes)?;
            Ok(sink)
        }));
        Ok(())
    }
}

impl BlobUpload for LocalUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), VaultError> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.received > self.max_size {
            return Err(VaultError::TooLarge {
                limit: self.max_size,
            });
        }
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let filling = self.filling.get_or_insert_with(|| self.budget.buffer());
            let (now, later) = rest.split_at(rest.len().min(filling.free_bytes()));
            filling.bytes.extend_from_slice(now);
            rest = later;
            if filling.free_bytes() == 0 {
                self.hand_over().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), VaultError> {
        self.hand_over().await?;
        self.sink = WriterState::Idle(self.writer().await?);
        Ok(())
    }

    async fn finish(mut self) -> Result<Blob, VaultError> {
        let mut sink = self.writer().await?;
        if self.received > self.max_size {
            return Err(VaultError::TooLarge {
                limit: self.max_size,
            });
        }
        let last = self.filling.take();
        blocking(move || {
            sink.take(last.as_ref().map_or(&[][..], |last| &last.bytes))?;
            sink.finish()
        })
        .await?
        .map_err(failed)
    }
}

/// The target file and its hash. It runs entirely on blocking threads.
pub(super) struct Sink {
    lfs: PathBuf,
    durable: DurableDirs,
    hash: digest::Context,
    size: u64,
    temporary: Option<StagedFile>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("lfs", &self.lfs)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Sink {
    fn take(&mut self, batch: &[u8]) -> io::Result<()> {
        let temporary = match &mut self.temporary {
            Some(temporary) => temporary,
            none => none.insert(StagedFile::create(&self.lfs.join("tmp"))?),
        };
        temporary.file.write_all(batch)?;
        self.hash.update(batch);
        self.size += batch.len() as u64;
        Ok(())
    }

    fn finish(self) -> io::Result<Blob> {
        let blob = Blob {
            id: BlobId::of_digest(self.hash.finish().as_ref()),
            size: self.size,
        };
        let path = object_path(&self.lfs, &blob.id);
        let temporary = self
            .temporary
            .ok_or_else(|| io::Error::other("the file accepted no bytes"))?;
        let Some(folder) = path.parent() else {
            return Ok(blob);
        };
        // Existing content of the same hash stays, unless a check of its size shows that it is
        // incomplete.
        if fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() == blob.size) {
            drop(temporary);
        } else {
            temporary.file.sync_all()?;
            place(temporary, &path, folder, &self.durable)?;
        }
        self.durable.make(folder)?;
        // Also for existing content: the upload that wrote it may not have synced yet.
        folder::sync(folder)?;
        Ok(blob)
    }
}

fn place(
    temporary: StagedFile,
    path: &Path,
    folder: &Path,
    durable: &DurableDirs,
) -> io::Result<()> {
    durable.make(folder)?;
    if let Err(error) = fs::rename(&temporary.path, path) {
        if error.kind() != io::ErrorKind::NotFound {
            return Err(error);
        }
        durable.invalidate(folder);
        durable.make(folder)?;
        fs::rename(&temporary.path, path)?;
    }
    temporary.keep();
    Ok(())
}

/// A file that is removed when dropped.
#[derive(Debug)]
struct StagedFile {
    path: PathBuf,
    file: fs::File,
    on_drop: OnDrop,
}

#[derive(Debug, PartialEq, Eq)]
enum OnDrop {
    Remove,
    Keep,
}

impl StagedFile {
    fn create(folder: &Path) -> io::Result<Self> {
        /// A counter is unique because only this process writes here; leftovers are cleared at the
        /// start.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = folder.join(name);
        let create = || fs::File::options().write(true).create_new(true).open(&path);
        let file = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                create()?
            }
            file => file?,
        };
        Ok(Self {
            path,
            file,
            on_drop: OnDrop::Remove,
        })
    }

    fn keep(mut self) {
        self.on_drop = OnDrop::Keep;
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if self.on_drop == OnDrop::Remove {
            let _ = fs::remove_file(&self.path);
        }
    }
}
