//! The newest messages of a vault in memory, so that a reconnect needs no query.

use std::{collections::VecDeque, sync::Arc};

use super::message::Message;

/// Messages, and their bytes. Above either limit the oldest message is dropped.
pub(crate) const MAX_MESSAGES: usize = 2048;
const MAX_BYTES: usize = 4 << 20;

/// Every message with an id above `floor`.
#[derive(Debug, Default)]
pub(crate) struct ReplayBuffer {
    floor: i64,
    bytes: usize,
    messages: VecDeque<Arc<Message>>,
}

impl ReplayBuffer {
    pub(crate) fn starting_after(floor: i64) -> Self {
        Self {
            floor,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, message: Arc<Message>) {
        self.bytes += message.size();
        self.messages.push_back(message);
        while self.messages.len() > MAX_MESSAGES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.messages.pop_front() else {
                return;
            };
            self.bytes -= oldest.size();
            self.floor = oldest.id;
        }
    }

    /// The oldest `most` messages above `id`, or `None` if one of those was dropped.
    pub(crate) fn after(&self, id: i64, limit: usize) -> Option<Vec<Arc<Message>>> {
        if id < self.floor {
            return None;
        }
        let start = self.messages.partition_point(|message| message.id <= id);
        Some(self.messages.range(start..).take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{event, main_vault};

    fn filled_buffer(floor: i64, up_to: i64) -> ReplayBuffer {
        let mut buffer = ReplayBuffer::starting_after(floor);
        for id in floor + 1..=up_to {
            buffer.push(Message::encode(&event(id), &main_vault().name).unwrap());
        }
        buffer
    }

    fn ids_after(buffer: &ReplayBuffer, after: i64) -> Option<Vec<i64>> {
        buffer
            .after(after, 3)
            .map(|messages| messages.iter().map(|message| message.id).collect())
    }

    #[test]
    fn replay_buffer_returns_later_events_in_order() {
        let ring = filled_buffer(10, 15);
        assert_eq!(ids_after(&ring, 10), Some(vec![11, 12, 13]));
        assert_eq!(ids_after(&ring, 14), Some(vec![15]));
        assert_eq!(ids_after(&ring, 15), Some(vec![]));
        assert_eq!(ids_after(&ring, 99), Some(vec![]));
    }

    #[test]
    fn replay_buffer_reports_evicted_positions_as_missing() {
        assert_eq!(ids_after(&filled_buffer(10, 15), 9), None);
        let full = filled_buffer(0, i64::try_from(MAX_MESSAGES).unwrap() + 5);
        assert_eq!(ids_after(&full, 4), None);
        assert_eq!(ids_after(&full, 5), Some(vec![6, 7, 8]));
    }

    #[test]
    fn replay_buffer_size_in_bytes_is_bounded() {
        let mut ring = ReplayBuffer::starting_after(0);
        for id in 1..1000 {
            let mut long = event(id);
            long.file.description = Some(vault::UserText::from_stored("x".repeat(10_000)));
            ring.push(Message::encode(&long, &main_vault().name).unwrap());
        }
        assert!(ring.bytes <= MAX_BYTES);
        assert_eq!(
            ring.bytes,
            ring.messages
                .iter()
                .map(|message| message.size())
                .sum::<usize>()
        );
    }
}
