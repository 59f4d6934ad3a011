//! The order in which a `java.util.HashMap` gives its keys, where records show it.

/// Remembers how large the map has grown: clearing a map does not make it smaller.
#[derive(Debug, Clone, Copy)]
pub struct JavaOrder {
    buckets: usize,
}

impl Default for JavaOrder {
    fn default() -> Self {
        Self { buckets: 16 }
    }
}

impl JavaOrder {
    /// The places of the keys, which were put into an empty map one after the other, in the map's order.
    pub fn of<'a>(&mut self, keys: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let hashes: Vec<u32> = keys.map(spread).collect();
        // It doubles when it is three quarters full.
        while hashes.len() > self.buckets / 4 * 3 {
            self.buckets *= 2;
        }
        let mut places: Vec<usize> = (0..hashes.len()).collect();
        // Keys of one bucket stay in the order in which they came.
        places.sort_by_key(|at| {
            hashes
                .get(*at)
                .map(|hash| *hash as usize & (self.buckets - 1))
        });
        places
    }
}

/// `String.hashCode`, with its upper half mixed into the lower.
fn spread(key: &str) -> u32 {
    let hash = key.encode_utf16().fold(0u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java() {
        // `"hello".hashCode()` is 99162322.
        assert_eq!(spread("hello"), 99_162_322 ^ (99_162_322 >> 16));
        assert_eq!(spread(""), 0);
    }

    #[test]
    fn keys_come_by_bucket_and_then_as_they_were_put() {
        let mut order = JavaOrder::default();
        // "Aa" and "BB" have one hash.
        assert_eq!(order.of(["b", "BB", "a", "Aa"].into_iter()), [1, 3, 2, 0]);
        let many: Vec<String> = (0..13).map(|n| format!("t{n}")).collect();
        assert_eq!(order.of(many.iter().map(String::as_str)).len(), 13);
        assert_eq!(order.buckets, 32);
    }
}
