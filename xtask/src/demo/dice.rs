//! Random numbers that are the same in every run (xorshift64*, Vigna 2016).

/// A generator.
pub(super) struct Dice(u64);

impl Dice {
    /// The generator of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit.max(1)
    }

    /// A number from 1 to `last`.
    pub(super) fn id(&mut self, last: u64) -> u64 {
        1 + self.below(last)
    }
}
