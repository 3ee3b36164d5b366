//! The newest messages of a vault, in memory, so that a reconnect costs no query.

use std::{collections::VecDeque, sync::Arc};

use super::message::Message;

/// How many messages are kept, and how many bytes of them: whichever comes first.
pub(super) const MOST: usize = 2048;
const MOST_BYTES: usize = 4 << 20;

/// Holds every message with an id above `floor`.
#[derive(Debug, Default)]
pub(super) struct Ring {
    floor: i64,
    bytes: usize,
    messages: VecDeque<Arc<Message>>,
}

impl Ring {
    pub(super) fn above(floor: i64) -> Self {
        Self {
            floor,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, message: Arc<Message>) {
        self.bytes += message.size();
        self.messages.push_back(message);
        while self.messages.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.messages.pop_front() else {
                return;
            };
            self.bytes -= oldest.size();
            self.floor = oldest.id;
        }
    }

    /// The oldest `most` messages above `id`; `None` where some of those are here no more.
    pub(super) fn after(&self, id: i64, most: usize) -> Option<Vec<Arc<Message>>> {
        if id < self.floor {
            return None;
        }
        let start = self.messages.partition_point(|message| message.id <= id);
        Some(self.messages.range(start..).take(most).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{event, main_vault};

    fn ring(floor: i64, up_to: i64) -> Ring {
        let mut ring = Ring::above(floor);
        for id in floor + 1..=up_to {
            ring.push(Message::of(&event(id), &main_vault().name).unwrap());
        }
        ring
    }

    fn ids(ring: &Ring, after: i64) -> Option<Vec<i64>> {
        ring.after(after, 3)
            .map(|found| found.iter().map(|message| message.id).collect())
    }

    #[test]
    fn replay_buffer_returns_later_events_in_order() {
        let ring = ring(10, 15);
        assert_eq!(ids(&ring, 10), Some(vec![11, 12, 13]));
        assert_eq!(ids(&ring, 14), Some(vec![15]));
        assert_eq!(ids(&ring, 15), Some(vec![]));
        assert_eq!(ids(&ring, 99), Some(vec![]));
    }

    #[test]
    fn replay_buffer_reports_evicted_positions_as_missing() {
        assert_eq!(ids(&ring(10, 15), 9), None);
        let full = ring(0, i64::try_from(MOST).unwrap() + 5);
        assert_eq!(ids(&full, 4), None);
        assert_eq!(ids(&full, 5), Some(vec![6, 7, 8]));
    }

    #[test]
    fn replay_buffer_size_in_bytes_is_bounded() {
        let mut ring = Ring::above(0);
        for id in 1..1000 {
            let mut long = event(id);
            long.file.description = Some(vault::UserText::from_stored("x".repeat(10_000)));
            ring.push(Message::of(&long, &main_vault().name).unwrap());
        }
        assert!(ring.bytes <= MOST_BYTES);
        assert_eq!(
            ring.bytes,
            ring.messages
                .iter()
                .map(|message| message.size())
                .sum::<usize>()
        );
    }
}
