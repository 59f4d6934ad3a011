//! The numbers and texts that packets and events are made of
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html>).

use connect_core::Result;

use crate::error;

/// Reads fields one after the other; one that is cut short is an error.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// So many bytes.
    #[inline]
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(len).ok_or_else(cut)?;
        self.0 = rest;
        Ok(field)
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or_else(cut)?;
        self.0 = rest;
        Ok(*field)
    }

    /// A number of one byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    /// A number of two bytes.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        self.chunk().map(u16::from_le_bytes)
    }

    /// A number of three bytes.
    #[inline]
    pub fn u24(&mut self) -> Result<u32> {
        self.chunk::<3>()
            .map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// A number of four bytes.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    /// A number of six bytes.
    #[inline]
    pub fn u48(&mut self) -> Result<u64> {
        self.chunk::<6>()
            .map(|[a, b, c, d, e, f]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// A number of eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    /// A number of one, three, four or nine bytes.
    #[inline]
    pub fn lenenc(&mut self) -> Result<u64> {
        match self.u8()? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.u16().map(u64::from),
            0xfd => self.u24().map(u64::from),
            0xfe => self.u64(),
            _ => Err(error::protocol("a length of the server makes no sense")),
        }
    }

    /// The same as a length.
    #[inline]
    pub fn len(&mut self) -> Result<usize> {
        usize::try_from(self.lenenc()?).map_err(|_| cut())
    }

    /// Bytes behind their length.
    #[inline]
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.len()?;
        self.bytes(len)
    }

    /// Bytes up to a zero byte, or to the end where there is none.
    pub fn until_zero(&mut self) -> &'a [u8] {
        match memchr::memchr(0, self.0) {
            Some(at) => {
                let (field, rest) = self.0.split_at(at);
                self.0 = rest.get(1..).unwrap_or_default();
                field
            }
            None => std::mem::take(&mut self.0),
        }
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn cut() -> connect_core::Error {
    error::protocol("a packet or event of the server is cut short")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_lengths_that_their_first_bytes_tell() {
        let read = |bytes: &[u8]| Fields(bytes).lenenc();
        assert_eq!(read(&[0xfa]).unwrap(), 0xfa);
        assert_eq!(read(&[0xfc, 1, 2]).unwrap(), 0x0201);
        assert_eq!(read(&[0xfd, 1, 2, 3]).unwrap(), 0x03_0201);
        assert_eq!(read(&[0xfe, 1, 0, 0, 0, 0, 0, 0, 2]).unwrap(), 2 << 56 | 1);
        for bytes in [&[][..], &[0xfb], &[0xff], &[0xfc, 1], &[0xfe, 1, 2]] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn texts_end_at_zero_or_at_the_end() {
        let mut fields = Fields(b"ab\0\x01c");
        assert_eq!(fields.until_zero(), b"ab");
        assert_eq!(fields.lenenc_bytes().unwrap(), b"c");
        assert!(fields.is_empty() && fields.bytes(1).is_err());
        assert_eq!(Fields(b"ab").until_zero(), b"ab");
    }
}
