//! Slips, in a list.

use jiff::Timestamp;

use super::Memory;
use crate::{
    TokenHash, Username,
    store::{Answer, Slip, SlipKind, SlipStore},
};

impl Memory {
    pub(crate) fn only_slip(&self) -> Slip {
        let slips = &self.tables().slips;
        assert_eq!(slips.len(), 1);
        slips[0].clone()
    }
}

impl SlipStore for Memory {
    async fn keep_slip(&self, slip: Slip) -> Answer<()> {
        self.ask()?.slips.push(slip);
        Ok(())
    }

    async fn keep_first_slip(&self, slip: Slip) -> Answer<bool> {
        let slips = &mut self.ask()?.slips;
        if slips
            .iter()
            .any(|kept| kept.kind == slip.kind && kept.hash == slip.hash)
        {
            return Ok(false);
        }
        slips.push(slip);
        Ok(true)
    }

    async fn slip(&self, kind: SlipKind, hash: &TokenHash, at: Timestamp) -> Answer<Option<Slip>> {
        Ok(self
            .ask()?
            .slips
            .iter()
            .find(|slip| is(slip, kind, hash, at))
            .cloned())
    }

    async fn take_slip(
        &self,
        kind: SlipKind,
        hash: &TokenHash,
        at: Timestamp,
    ) -> Answer<Option<Slip>> {
        let slips = &mut self.ask()?.slips;
        Ok(slips
            .iter()
            .position(|slip| is(slip, kind, hash, at))
            .map(|n| slips.remove(n)))
    }

    async fn revise_slip(&self, slip: &Slip, body: String, at: Timestamp) -> Answer<bool> {
        let slips = &mut self.ask()?.slips;
        let kept = slips
            .iter_mut()
            .find(|kept| is(kept, slip.kind, &slip.hash, at) && kept.body == slip.body);
        Ok(kept.map(|kept| kept.body = body).is_some())
    }

    async fn slips(
        &self,
        kind: SlipKind,
        of: Option<&Username>,
        at: Timestamp,
    ) -> Answer<Vec<Slip>> {
        let wanted = |slip: &&Slip| {
            slip.kind == kind
                && at < slip.expires_at
                && of.is_none_or(|of| slip.username.as_ref() == Some(of))
        };
        Ok(self
            .ask()?
            .slips
            .iter()
            .rev()
            .filter(wanted)
            .take(1_000)
            .cloned()
            .collect())
    }

    async fn drop_slips(&self, kind: SlipKind, of: &Username) -> Answer<u64> {
        let slips = &mut self.ask()?.slips;
        let before = slips.len();
        slips.retain(|slip| slip.kind != kind || slip.username.as_ref() != Some(of));
        Ok((before - slips.len()) as u64)
    }
}

fn is(slip: &Slip, kind: SlipKind, hash: &TokenHash, at: Timestamp) -> bool {
    slip.kind == kind && slip.hash == *hash && at < slip.expires_at
}
