//! `Debug` of shapes with a secret prints only their name, because a shape in a log or an error
//! would reveal it.

macro_rules! does_not_print {
    ($($shape:ident),* $(,)?) => {$(
        impl std::fmt::Debug for crate::$shape {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($shape), "(…)"))
            }
        }
    )*};
}

does_not_print![
    Authorize,
    AuthorizeRedirect,
    ChangePassword,
    ConfirmReset,
    ConfirmTotp,
    DeviceDecision,
    DeviceAuthorization,
    EmailLink,
    LinkStarted,
    UserCodeLookup,
    CreatedInvite,
    CreatedPersonalToken,
    NewPasskey,
    NewTotp,
    TokenReference,
    PasskeyOptions,
    RecoveryCodes,
    Register,
    ResetLink,
    PreviewInvite,
    PasskeyAssertion,
    StepUp,
    StepUpResponse,
    Ticket,
    TokenRequest,
    TokenResponse,
    PendingDevice,
];

#[cfg(test)]
mod tests {
    /// Members that are secret, or contain a secret.
    const SECRET: [&str; 20] = [
        "access_token",
        "ceremony",
        "code",
        "code_verifier",
        "credential",
        "current_password",
        "device_code",
        "invite",
        "link",
        "location",
        "new_password",
        "otp",
        "password",
        "recovery_codes",
        "redirect_to",
        "refresh_token",
        "ticket",
        "token",
        "uri",
        "user_code",
    ];

    #[test]
    fn types_with_secret_fields_do_not_derive_debug() {
        let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut shapes = 0;
        for entry in std::fs::read_dir(sources).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for part in source.split("#[derive(").skip(1) {
                let Some((head, rest)) = part.split_once("pub struct ") else {
                    continue;
                };
                let Some((name, members)) = rest.split_once(" {\n") else {
                    continue;
                };
                let members = members.split("\n}").next().unwrap();
                let printed = head
                    .split(')')
                    .next()
                    .unwrap()
                    .split(", ")
                    .any(|derived| derived == "Debug");
                shapes += 1;
                let said = members
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("pub "));
                // Its presence is not secret.
                for member in said.filter(|line| !line.ends_with(": bool,")) {
                    let member = member.split(':').next().unwrap();
                    assert!(
                        !printed || !SECRET.contains(&member),
                        "{name} derives Debug and holds {member}"
                    );
                }
            }
        }
        assert!(shapes > 60, "{shapes}");
    }

    #[test]
    fn secret_type_debug_prints_only_its_name() {
        let form = crate::EmailLink {
            token: "sr_em_secret".to_owned(),
        };
        assert_eq!(format!("{form:?}"), "EmailLink(…)");
    }
}
