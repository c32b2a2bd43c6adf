#pragma once
// What a remote's address says, before anybody is contacted.

#include "base/result.h"

#include <string>

namespace dutybook::sync {

enum class RemoteKind : unsigned char { Directory, Ssh, Https };

struct RemoteUrl {
    RemoteKind kind = RemoteKind::Directory;
    std::string url;        // as git is told it, for everybody on this machine to see: no password
    std::string directory;  // Directory: the decoded absolute path
    std::string user_host;  // Ssh: as ssh takes it ("git@host")
    std::string port;       // Ssh: empty = as ssh is configured
    std::string sign_in{};  // Https: the address with its name and password, empty if it has none
};

// https, ssh, scp-like ("git@host:path"), file URLs and absolute paths. Code::Malformed for any
// other: git's own list is longer (ext:: runs commands), so what is allowed is said here and again
// to git itself.
Result<RemoteUrl> parse_remote_url(const std::string& text);

// Without a password, for messages, logs and status.
std::string redacted(const std::string& url);

}  // namespace dutybook::sync
