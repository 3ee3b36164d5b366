//! An event message: encoded once, shared by all streams.

use std::{ops::Range, sync::Arc};

use auth::Username;
use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use vault::{Event, EventAction, VaultName};
use wire::{DeletedFile, FileDeleted, FileStatus, FileUpdated};

use crate::to_wire;

/// One event, in the form for the lock holder and the form for other users.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: i64,
    default_frame: Frame,
    holder_frame: Option<(Username, Frame)>,
}

/// The same JSON for both transports in one buffer: the event stream's lines contain the
/// WebSocket's text.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) sse: Bytes,
    pub(super) text: Utf8Bytes,
}

impl Message {
    pub(super) fn encode(event: &Event, vault: &VaultName) -> Result<Arc<Self>, EncodeError> {
        let default_frame = Frame::encode(event.id, &wire_event(event, vault, None))?;
        let holder_frame = match event.file.holder() {
            Some(holder_frame) if event.action != EventAction::Delete => Some((
                holder_frame.clone(),
                Frame::encode(event.id, &wire_event(event, vault, Some(holder_frame)))?,
            )),
            _ => None,
        };
        Ok(Arc::new(Self {
            id: event.id,
            default_frame,
            holder_frame,
        }))
    }

    /// The message that the client has missed events. The stream continues after `id`.
    pub(super) fn resync(id: i64) -> Result<Arc<Self>, EncodeError> {
        let default_frame = Frame::encode(id, &wire::Event::Resync { id })?;
        Ok(Arc::new(Self {
            id,
            default_frame,
            holder_frame: None,
        }))
    }

    pub(super) fn for_viewer(&self, viewer: &Username) -> &Frame {
        match &self.holder_frame {
            Some((holder, frame)) if holder == viewer => frame,
            _ => &self.default_frame,
        }
    }

    /// Approximate bytes in memory.
    pub(super) fn size(&self) -> usize {
        self.default_frame.sse.len()
            + self
                .holder_frame
                .as_ref()
                .map_or(0, |(_, frame)| frame.sse.len())
    }
}

/// An event could not be serialized to JSON. This is a bug, never caused by input.
#[derive(Debug, thiserror::Error)]
#[error("an event could not be encoded")]
pub(super) struct EncodeError;

impl Frame {
    fn encode(id: i64, event: &wire::Event) -> Result<Self, EncodeError> {
        let mut line = format!("id: {id}\ndata: ").into_bytes();
        let start = line.len();
        serde_json::to_writer(&mut line, event).map_err(|_| EncodeError)?;
        let json: Range<usize> = start..line.len();
        line.extend_from_slice(b"\n\n");
        let sse = Bytes::from(line);
        let text = Utf8Bytes::try_from(sse.slice(json)).map_err(|_| EncodeError)?;
        Ok(Self { sse, text })
    }
}

/// `holder` is the viewer if the viewer holds the lock, else `None`.
fn wire_event(event: &Event, vault: &VaultName, holder: Option<&Username>) -> wire::Event {
    let (id, vault, at, by) = (event.id, vault.to_string(), event.at, event.by.to_string());
    if event.action == EventAction::Delete {
        let data = DeletedFile {
            filename: event.file.name.to_string(),
        };
        return wire::Event::FileDeleted(FileDeleted {
            id,
            vault,
            at,
            by,
            data,
        });
    }
    let mut data = to_wire::file(&event.file, holder.unwrap_or(&event.by));
    if holder.is_none() && data.status == FileStatus::CheckedOutByUser {
        data.status = FileStatus::Locked;
    }
    wire::Event::FileUpdated(Box::new(FileUpdated {
        id,
        vault,
        at,
        by,
        action: event.action.as_str().to_owned(),
        data,
        moved_from: event.moved_from.as_ref().map(ToString::to_string),
        reason: event.reason.as_ref().map(ToString::to_string),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{event, main_vault, username};

    #[test]
    fn event_shows_lock_holder_their_own_check_out() {
        let mut taken = event(7);
        taken.by = username("ada");
        taken.file.lock = Some(vault::Lock {
            id: 1,
            holder: username("bob"),
            holder_name: None,
            at: taken.at,
            note: None,
        });
        let message = Message::encode(&taken, &main_vault().name).unwrap();
        let status = |viewer| {
            let json: serde_json::Value =
                serde_json::from_str(&message.for_viewer(&username(viewer)).text).unwrap();
            json["data"]["status"].as_str().unwrap().to_owned()
        };
        assert_eq!(status("bob"), "checked_out_by_user");
        assert_eq!(status("ada"), "locked");
        assert_eq!(status("eve"), "locked");
    }

    #[test]
    fn delete_event_contains_only_the_filename() {
        let mut gone = event(8);
        gone.action = EventAction::Delete;
        let message = Message::encode(&gone, &main_vault().name).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&message.for_viewer(&username("eve")).text).unwrap();
        assert_eq!(json["event"], "file_deleted");
        assert_eq!(json["data"], serde_json::json!({"filename": "vise.step"}));
    }

    #[test]
    fn sse_and_websocket_carry_same_event_bytes() {
        let mut described = event(9);
        described.file.description = Some(vault::UserText::from_stored(
            "two\n\nlines\r and id: 3".to_owned(),
        ));
        let message = Message::encode(&described, &main_vault().name).unwrap();
        let frame = message.for_viewer(&username("eve"));
        assert_eq!(
            frame.sse,
            format!("id: 9\ndata: {}\n\n", frame.text.as_str())
        );
        assert_eq!(
            std::str::from_utf8(&frame.sse)
                .unwrap()
                .matches('\n')
                .count(),
            3,
            "a text must not end its line"
        );
        assert!(!frame.sse.contains(&b'\r'));
    }
}
