#pragma once
// An invitation as a file. It carries the keys of the space, so it is a secret of its own:
//
//   {"format":1,"kdf":{"memory":BYTES,"name":"argon2id","operations":N,"salt":"<base64>"},
//    "sealed":"<base64>"}
//
// "sealed" is nonce | XChaCha20-Poly1305 of the invitation under the passphrase's key, with the
// other members (canonical JSON) authenticated. Without a passphrase the file is the invitation
// itself, and whoever gets hold of it reads the space.

#include "base/json.h"
#include "base/keys.h"

#include <iosfwd>
#include <optional>

namespace dutybook::cli {

// DUTYBOOK_PASSPHRASE; else asked for at the terminal (twice if it is a new one); nothing if there
// is neither. Code::Malformed (usage) for an empty or mistyped one.
Result<std::optional<std::string>> passphrase(std::ostream& err, bool is_new);

// The key from the paper: as it was given, else of DUTYBOOK_RECOVERY_KEY, else asked for at a
// terminal. Every account of a machine reads what is given as an argument.
Result<std::string> recovery_key(std::ostream& err, const std::string& given);

Result<Json> seal_invitation(const Json& invitation, std::string_view passphrase,
                             const PassphraseCost& cost = {});
bool is_sealed(const Json& file);
// Code::Forbidden for another passphrase or changed bytes.
Result<Json> open_invitation(const Json& file, std::string_view passphrase);

}  // namespace dutybook::cli
