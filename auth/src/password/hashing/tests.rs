mod pool;

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

use super::{argon2id::MIN_COST, *};
use crate::keys::master::MasterKey;

const KEY: &str = "q8Zr2mLw9Xc4Vn7Bt5Ky1Hd6Jf3Gs0Pa";
const RETIRED_KEY: &str = "Yt5Wq8Er1Kz7Mx3Nv9Pb2Lc6Hd4Fg0Js";

fn peppers(master: &str, given: &[&str]) -> Peppers {
    let key = |raw: &&str| MasterKey::parse(raw).unwrap();
    Peppers::new(
        &key(&master),
        &given.iter().map(key).collect::<Vec<_>>(),
        &[],
    )
    .unwrap()
}

fn hasher() -> Hasher {
    Hasher::new(MIN_COST, peppers(KEY, &[]), SecureRandom::system()).unwrap()
}

fn password(raw: &str) -> Arc<Password> {
    Arc::new(Password::new(raw.to_owned()))
}

fn bcrypt_of(raw: &[u8]) -> PasswordHash {
    PasswordHash::import(&bcrypt::hash(raw, 4).unwrap()).unwrap()
}

#[tokio::test]
async fn password_verifies_against_its_own_hash_only() {
    let hasher = hasher();
    let hash = hasher
        .hash(&password("correct horse battery"))
        .await
        .unwrap();
    let (_, phc) = pepper::parse_tag(hash.as_str()).unwrap();
    assert!(
        phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        hash.as_str()
    );
    assert!(
        hasher
            .verify(&password("correct horse battery"), &hash)
            .await
            .unwrap()
    );
    assert!(
        !hasher
            .verify(&password("correct horse batterz"), &hash)
            .await
            .unwrap()
    );
    assert!(
        !hasher
            .verify_or_dummy(&password("correct horse battery"), None)
            .await
            .unwrap()
    );
    assert!(!hasher.needs_rehash(&hash));
}

#[tokio::test]
async fn argon2_does_not_truncate_long_passwords() {
    let hasher = hasher();
    let long = "ab".repeat(500);
    let hash = hasher.hash(&password(&long)).await.unwrap();
    assert!(
        !hasher
            .verify(&password(&(long + "c")), &hash)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn bcrypt_rejects_passwords_over_72_bytes() {
    let hasher = hasher();
    let of = |n| "0123456789".repeat(8)[..n].to_owned();
    for made in [71, 72, 73] {
        // bcrypt cuts a password of 73 bytes.
        let hash = bcrypt_of(of(made).as_bytes());
        assert!(hasher.needs_rehash(&hash));
        for shown in [71, 72, 73] {
            let matches = hasher.verify(&password(&of(shown)), &hash).await.unwrap();
            assert_eq!(
                matches,
                shown <= 72 && made.min(72) == shown,
                "hash of {made} bytes, password of {shown}"
            );
        }
    }
}

/// From the tests of jBCrypt and of `crypt_blowfish`. The last `crypt_blowfish` vector is of a
/// password longer than 72 bytes.
#[tokio::test]
async fn published_bcrypt_vectors_verify() {
    let hasher = hasher();
    let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (raw, hash) in [
        (
            "",
            "$2a$08$HqWuK6/Ng6sg9gQzbLrgb.Tl.ZHfXLhvt/SgVyWhQqgqcZ7ZuUtye",
        ),
        (
            "a",
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ),
        (
            "abc",
            "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        ),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
        ),
        (
            "~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
            "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
        ),
        (
            "U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
        (
            "U*U*",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
        ),
        (
            "U*U*U",
            "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        ),
        (
            long,
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
        ),
    ] {
        let hash = PasswordHash::import(hash).unwrap();
        assert!(hasher.verify(&password(raw), &hash).await.unwrap(), "{raw}");
        assert!(
            !hasher
                .verify(&password(&(raw.to_owned() + "x")), &hash)
                .await
                .unwrap(),
            "{raw}"
        );
    }
}

/// RFC 9106 §5.3.
#[test]
fn argon2id_matches_the_rfc_9106_vector() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .output_len(32)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let argon2 =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
    assert_eq!(
        hex::encode(tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

#[tokio::test]
async fn hash_does_not_verify_without_its_pepper() {
    let (ours, thief) = (
        hasher(),
        Hasher::new(MIN_COST, peppers(RETIRED_KEY, &[]), SecureRandom::system()).unwrap(),
    );
    let secret = password("correct horse battery");
    let hash = ours.hash(&secret).await.unwrap();
    assert!(!thief.verify(&secret, &hash).await.unwrap());
    // Nor without the pepper tag, or with the thief's own tag.
    let (_, phc) = pepper::parse_tag(hash.as_str()).unwrap();
    assert!(
        !thief
            .verify(&secret, &PasswordHash::from_stored(phc))
            .await
            .unwrap()
    );
    let renamed = thief.peppers.current().tag(phc);
    assert!(
        !thief
            .verify(&secret, &PasswordHash::from_stored(&renamed))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn hash_under_retired_pepper_verifies_and_needs_rehash() {
    let secret = password("correct horse battery");
    let old = Hasher::new(MIN_COST, peppers(RETIRED_KEY, &[]), SecureRandom::system()).unwrap();
    let hash = old.hash(&secret).await.unwrap();
    let replaced = Hasher::new(
        MIN_COST,
        peppers(RETIRED_KEY, &[KEY]),
        SecureRandom::system(),
    )
    .unwrap();
    assert!(replaced.verify(&secret, &hash).await.unwrap());
    assert!(replaced.needs_rehash(&hash));
    let hash = replaced.hash(&secret).await.unwrap();
    assert!(hasher().verify(&secret, &hash).await.unwrap());
    assert!(!hasher().needs_rehash(&hash));
}

#[tokio::test]
async fn unicode_password_is_normalized_except_for_imported_hashes() {
    let hasher = hasher();
    let (decomposed, composed) = (
        "cafe\u{301} au lait, deux fois",
        "caf\u{e9} au lait, deux fois",
    );
    let hash = hasher.hash(&password(decomposed)).await.unwrap();
    assert!(hasher.verify(&password(composed), &hash).await.unwrap());
    assert!(
        !hasher
            .verify(&password("Caf\u{e9} au lait, deux fois"), &hash)
            .await
            .unwrap()
    );
    let salt = [7; 16];
    let before = hasher.argon2.hash(decomposed.as_bytes(), &salt).unwrap();
    let before = PasswordHash::import(&before).unwrap();
    assert!(hasher.verify(&password(decomposed), &before).await.unwrap());
    assert!(!hasher.verify(&password(composed), &before).await.unwrap());
    assert!(hasher.needs_rehash(&before));
}

/// From the documentation of passlib.
#[tokio::test]
async fn passlib_bcrypt_hash_verifies_under_each_prefix() {
    let hasher = hasher();
    let made = "$2a$12$NT0I31Sa7ihGEWpka9ASYeEFkhuTNeBQ2xfZskIiiJeyFXhRgS.Sy";
    for prefix in ["$2a$", "$2b$", "$2y$"] {
        let hash = PasswordHash::import(&made.replace("$2a$", prefix)).unwrap();
        assert!(
            hasher.verify(&password("password"), &hash).await.unwrap(),
            "{prefix}"
        );
        assert!(
            !hasher.verify(&password("Password"), &hash).await.unwrap(),
            "{prefix}"
        );
    }
}

#[tokio::test]
async fn bcrypt_rejects_passwords_with_nul_bytes() {
    let hasher = hasher();
    let hash = bcrypt_of(b"with\0nul");
    assert!(!hasher.verify(&password("with\0nul"), &hash).await.unwrap());
    assert!(!hasher.verify(&password("with"), &hash).await.unwrap());
}

#[tokio::test]
async fn hash_with_weaker_parameters_needs_rehash() {
    let raised = Hasher::new(
        HashingCost {
            memory_kib: 20 * 1024,
            ..MIN_COST
        },
        peppers(KEY, &[]),
        SecureRandom::system(),
    )
    .unwrap();
    let hash = hasher()
        .hash(&password("correct horse battery"))
        .await
        .unwrap();
    assert!(raised.needs_rehash(&hash));
    assert!(
        raised
            .verify(&password("correct horse battery"), &hash)
            .await
            .unwrap()
    );
}

#[test]
fn argon2_cost_below_minimum_is_rejected() {
    for cost in [
        HashingCost {
            memory_kib: 19 * 1024 - 1,
            ..MIN_COST
        },
        HashingCost {
            passes: 1,
            ..MIN_COST
        },
        HashingCost {
            lanes: 0,
            ..MIN_COST
        },
    ] {
        let rejected = Hasher::new(cost, peppers(KEY, &[]), SecureRandom::system());
        assert!(
            matches!(rejected.map(drop), Err(AuthError::Internal(_))),
            "{cost:?}"
        );
    }
    Hasher::new(MIN_COST, peppers(KEY, &[]), SecureRandom::system()).unwrap();
}
