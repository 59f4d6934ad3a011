//! SCRAM-SHA-256 and SCRAM-SHA-512: a login that does not send the password. Source: RFC 5802, RFC 7677.

use std::{collections::BTreeMap, num::NonZeroU32};

use base64::{Engine, engine::general_purpose::STANDARD};
use connect_core::{Error, Result};
use ring::{
    digest, hmac, pbkdf2,
    rand::{SecureRandom, SystemRandom},
};

use super::dial::Credentials;
use crate::UNAUTHORIZED;

/// The hash that both sides use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// Kafka's default is 4096. A broker does not decide how long we count.
const MOST_ROUNDS: u32 = 1 << 20;
/// "n,,": no channel binding, no other name.
const GS2_HEADER: &str = "n,,";

/// A login that has begun.
pub(super) struct Scram {
    hash: Hash,
    first: String,
    nonce: String,
}

/// What the broker must prove at last.
pub(super) struct Expected(Vec<u8>);

impl Scram {
    /// The login of a user with a new nonce.
    pub(super) fn begin(hash: Hash, credentials: &Credentials) -> Result<Self> {
        let mut random = [0; 24];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| refused("the system has no random numbers"))?;
        Ok(Self::with_nonce(
            hash,
            credentials,
            STANDARD.encode(random).replace('=', ""),
        ))
    }

    fn with_nonce(hash: Hash, credentials: &Credentials, nonce: String) -> Self {
        let user = credentials.user.replace('=', "=3D").replace(',', "=2C");
        Self {
            hash,
            first: format!("n={user},r={nonce}"),
            nonce,
        }
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("{GS2_HEADER}{}", self.first)
    }

    /// The second message, in answer to the broker's first.
    pub(super) fn prove(&self, password: &str, challenge: &[u8]) -> Result<(String, Expected)> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| unreadable())?;
        let parts = attributes(challenge);
        let part = |name| parts.get(name).copied().ok_or_else(unreadable);
        let nonce = part("r")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(refused("the broker's answer belongs to another login"));
        }
        let salt = STANDARD.decode(part("s")?).map_err(|_| unreadable())?;
        let rounds: u32 = part("i")?.parse().map_err(|_| unreadable())?;
        let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= MOST_ROUNDS);
        let salted = self.salted(password, &salt, rounds.ok_or_else(unreadable)?);
        let bare = format!("c={},r={nonce}", STANDARD.encode(GS2_HEADER));
        let signed = format!("{},{challenge},{bare}", self.first);
        let client_key = self.sign(&salted, b"Client Key");
        let stored_key = digest::digest(self.digest(), &client_key);
        let signature = self.sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = (client_key.iter().zip(&signature))
            .map(|(a, b)| a ^ b)
            .collect();
        let server_key = self.sign(&salted, b"Server Key");
        let expected = self.sign(&server_key, signed.as_bytes());
        Ok((
            format!("{bare},p={}", STANDARD.encode(proof)),
            Expected(expected),
        ))
    }

    fn salted(&self, password: &str, salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
        let algorithm = match self.hash {
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        let mut out = vec![0; self.digest().output_len()];
        pbkdf2::derive(algorithm, rounds, salt, password.as_bytes(), &mut out);
        out
    }

    fn sign(&self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self.hash {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), text)
            .as_ref()
            .to_vec()
    }

    fn digest(&self) -> &'static digest::Algorithm {
        match self.hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        }
    }
}

impl Expected {
    /// Whether the broker knows the password too: its last message.
    pub(super) fn check(&self, last: &[u8]) -> Result<()> {
        let last = std::str::from_utf8(last).map_err(|_| unreadable())?;
        let found = attributes(last).get("v").map(|text| STANDARD.decode(text));
        match found {
            Some(Ok(found)) if found == self.0 => Ok(()),
            _ => Err(refused(
                "the broker does not prove that it knows the user: it may be an impostor",
            )),
        }
    }
}

/// `a=1,b=2`.
fn attributes(text: &str) -> BTreeMap<&str, &str> {
    text.split(',')
        .filter_map(|part| part.split_once('='))
        .collect()
}

fn refused(what: &'static str) -> Error {
    Error::new(&UNAUTHORIZED, what)
}

fn unreadable() -> Error {
    refused("the broker's answer to the SCRAM login cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pencil(user: &str) -> Credentials {
        Credentials {
            user: user.to_owned(),
            password: connect_core::secret::Secret::new("pencil"),
        }
    }

    /// The example of RFC 7677.
    #[test]
    fn the_example_of_the_standard_holds() {
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        let scram = Scram::with_nonce(Hash::Sha256, &pencil("user"), nonce);
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (last, expected) = scram.prove("pencil", challenge).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let proof = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        expected.check(proof).unwrap();
        let other = b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(expected.check(other).unwrap_err().code(), &UNAUTHORIZED);
    }

    #[test]
    fn challenges_that_are_none_are_refused() {
        let scram = Scram::with_nonce(Hash::Sha512, &pencil("a=b,c"), "abc".to_owned());
        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=abc");
        for bad in [
            "r=abc,s=AAAA,i=4096",
            "r=xyz,s=AAAA,i=4096",
            "r=abcd,s=AAAA,i=0",
            "r=abcd,s=AAAA,i=4000000000",
            "r=abcd,s=*,i=4096",
            "r=abcd",
        ] {
            assert!(scram.prove("pencil", bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let scram = Scram::with_nonce(Hash::Sha256, &pencil("user"), "abc".to_owned());
            let _ = scram.prove("pencil", &bytes);
            let _ = Expected(vec![1]).check(&bytes);
        }
    }
}
