//! Debezium's `MurmurHash3`: an early draft of the 128 bit variant, of which 32 bits are taken. Published crates have the final one.

const SEED: u64 = 9001;

/// The hash of bytes (of a text: its UTF-8), as an `int` of Java.
pub(super) fn hash(bytes: &[u8]) -> i32 {
    let mut state = State::new();
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        let half = |at: usize| {
            let bytes = block.iter().skip(at).take(8).rev();
            bytes.fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
        };
        state.mix(half(0), half(8));
    }
    if !tail.is_empty() {
        let (first, second) = tail.split_at(tail.len().min(8));
        state.mix(signed(first), signed(second));
    }
    (state.end(bytes.len()) >> 32) as i32
}

/// Bytes that are left over: Java's are signed, and fill what stands above them.
fn signed(bytes: &[u8]) -> u64 {
    let words = bytes.iter().enumerate();
    words.fold(0, |word, (at, byte)| {
        word ^ ((i64::from(*byte as i8) as u64) << (8 * at))
    })
}

struct State {
    h1: u64,
    h2: u64,
    c1: u64,
    c2: u64,
}

impl State {
    fn new() -> Self {
        Self {
            h1: 0x9368_e53c_2f6a_f274 ^ SEED,
            h2: 0x586d_cd20_8f7c_d3fd ^ SEED,
            c1: 0x87c3_7b91_1142_53d5,
            c2: 0x4cf5_ad43_2745_937f,
        }
    }

    fn mix(&mut self, first: u64, second: u64) {
        let word = |word: u64, one: u64, other: u64| {
            word.wrapping_mul(one).rotate_left(23).wrapping_mul(other)
        };
        self.h1 = (self.h1 ^ word(first, self.c1, self.c2)).wrapping_add(self.h2);
        self.h2 = self.h2.rotate_left(41) ^ word(second, self.c2, self.c1);
        self.h2 = self.h2.wrapping_add(self.h1);
        let step = |word: u64, by: u64, more: u64| word.wrapping_mul(by).wrapping_add(more);
        self.h1 = step(self.h1, 3, 0x52dc_e729);
        self.h2 = step(self.h2, 3, 0x3849_5ab5);
        self.c1 = step(self.c1, 5, 0x7b7d_159c);
        self.c2 = step(self.c2, 5, 0x6bce_6396);
    }

    fn end(mut self, length: usize) -> u64 {
        self.h2 ^= length as u64;
        self.h1 = self.h1.wrapping_add(self.h2);
        self.h2 = self.h2.wrapping_add(self.h1);
        finish(self.h1).wrapping_add(finish(self.h2))
    }
}

fn finish(word: u64) -> u64 {
    let fold = |word: u64| word ^ word >> 33;
    let word = fold(word).wrapping_mul(0xff51_afd7_ed55_8ccd);
    fold(fold(word).wrapping_mul(0xc4ce_b9fe_1a85_ec53))
}
