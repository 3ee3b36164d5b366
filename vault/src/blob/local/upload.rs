//! Uploads of content: hashed and written on a blocking thread, while the next buffer fills.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use bytes::Bytes;
use durable_fs::{Mode, StagedFile};
use tokio::task::JoinHandle;

use super::{
    super::{
        buffer_budget::{Buffer, BufferBudget},
        claims::Claims,
    },
    DurableDirs, blocking, failed, object_path, unnamed,
};
use crate::{Blob, BlobId, BlobUpload, VaultError, blob::UploadedBlob};

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
        claims: Claims,
    ) -> Self {
        let sink = Sink {
            lfs,
            durable,
            claims,
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

    async fn finish(mut self) -> Result<UploadedBlob, VaultError> {
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
    claims: Claims,
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
            none => none.insert(staged_file(&self.lfs.join("tmp"))?),
        };
        temporary.write_all(batch)?;
        self.hash.update(batch);
        self.size += batch.len() as u64;
        Ok(())
    }

    fn finish(self) -> io::Result<UploadedBlob> {
        let blob = Blob {
            id: BlobId::of_digest(self.hash.finish().as_ref()),
            size: self.size,
        };
        let path = object_path(&self.lfs, &blob.id);
        // First, so that existing content is not collected from here on.
        let pin = self.claims.pin(unnamed::marker_path(&self.lfs, &blob.id));
        let temporary = self
            .temporary
            .ok_or_else(|| io::Error::other("the file accepted no bytes"))?;
        let Some(folder) = path.parent() else {
            return Ok(UploadedBlob { blob, pin });
        };
        // Existing content of the same hash stays, unless a check of its size shows that it is
        // incomplete.
        if fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() == blob.size) {
            drop(temporary);
            if pin.marker().exists() {
                unnamed::mark(pin.marker())?;
            }
        } else {
            temporary.sync()?;
            unnamed::mark(pin.marker())?;
            place(temporary, &path, folder, &self.durable)?;
        }
        self.durable.make(folder)?;
        // Also for existing content: the upload that wrote it may not have synced yet.
        durable_fs::sync_folder(folder)?;
        Ok(UploadedBlob { blob, pin })
    }
}

fn place(
    temporary: StagedFile,
    path: &Path,
    folder: &Path,
    durable: &DurableDirs,
) -> io::Result<()> {
    durable.make(folder)?;
    match temporary.place(path) {
        Err(failed) if failed.source.kind() == io::ErrorKind::NotFound => {
            durable.invalidate(folder);
            durable.make(folder)?;
            Ok(failed.file.place(path)?)
        }
        placed => Ok(placed?),
    }
}

/// Creates the folder of running uploads if it is missing.
fn staged_file(folder: &Path) -> io::Result<StagedFile> {
    match StagedFile::in_folder(folder, Mode::DEFAULT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            StagedFile::in_folder(folder, Mode::DEFAULT)
        }
        staged => staged,
    }
}
