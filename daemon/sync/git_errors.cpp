#include "sync/git_errors.h"

#include "base/printable.h"

#include <array>
#include <optional>
#include <vector>

namespace dutybook::sync {
namespace {

struct Sign {
    std::string_view text;
    Code code;
    std::string_view why, fix;
};

constexpr std::string_view register_key =
    "register this machine's key there (`dutybook remote check` prints it)";
constexpr std::string_view look_network = "see that the network and the address are right";
constexpr std::string_view no_tls = "what answers there does not speak https";
constexpr std::string_view see_https =
    "see that the address and its port are those of an https server";

// The first that is found counts: causes stand before their consequences ("hung up").
constexpr std::array<Sign, 67> signs = {{
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", Code::Forbidden, "its host key has changed",
     "find out why; only if the host was really renewed, replace its line in known_hosts"},
    {"Host key verification failed", Code::Forbidden, "its host key is not known here",
     "compare and accept it once: run `ssh` to that host as the service user"},
    {"host key is known for", Code::Forbidden, "its host key is not known here",
     "compare and accept it once: run `ssh` to that host as the service user"},
    {"Permission denied (", Code::Forbidden, "it refused this machine's key", register_key},
    {"Too many authentication failures", Code::Forbidden, "it refused this machine's keys",
     register_key},
    {"no mutual signature", Code::Forbidden, "it refused the type of this machine's key",
     "make a new key with `ssh-keygen -t ed25519` and register it there"},
    {"could not read Username", Code::Forbidden, "it asks for a sign-in and none is configured",
     "configure a git credential helper for the service user, or use an ssh address"},
    {"could not read Password", Code::Forbidden, "it asks for a password and none is configured",
     "configure a git credential helper for the service user, or use an ssh address"},
    {"Authentication failed", Code::Forbidden, "it refused the sign-in",
     "renew the token or password in the service user's git credential helper"},
    {"error: 401", Code::Forbidden, "it refused the sign-in",
     "renew the token or password in the service user's git credential helper"},
    {"error: 403", Code::Forbidden, "this account has no right there",
     "ask the host's administrator for write access to the repository"},
    {"Could not resolve host", Code::Unavailable, "its host name is not known", look_network},
    {"Name or service not known", Code::Unavailable, "its host name is not known", look_network},
    {"Temporary failure in name resolution", Code::Unavailable, "its host name cannot be looked up",
     look_network},
    {"Connection refused", Code::Unavailable, "its host refused the connection",
     "see that the service runs there and the port is right"},
    {"Network is unreachable", Code::Unavailable, "there is no network", look_network},
    {"No route to host", Code::Unavailable, "there is no way to its host", look_network},
    {"Connection timed out", Code::Timeout, "its host does not answer", look_network},
    {"Operation timed out", Code::Timeout, "its host does not answer", look_network},
    {"Operation too slow", Code::Timeout, "nothing came from it any more", look_network},
    {"Connection timeout", Code::Timeout, "its host does not answer", look_network},
    {"not responding", Code::Timeout, "its host does not answer any more", look_network},
    {"Couldn't connect to server", Code::Unavailable, "its host refused the connection",
     look_network},
    {"Failed to connect to", Code::Unavailable, "its host cannot be reached", look_network},
    {"SSL certificate problem", Code::Forbidden, "its certificate is not trusted here",
     "install the authority that signed it (http.sslCAInfo), or correct the clock"},
    {"certificate verification failed", Code::Forbidden, "its certificate is not trusted here",
     "install the authority that signed it (http.sslCAInfo), or correct the clock"},
    {"gnutls_handshake() failed", Code::Unavailable, no_tls, see_https},
    {"SSL_connect", Code::Unavailable, no_tls, see_https},
    {"SSL routines", Code::Unavailable, no_tls, see_https},
    {"dubious ownership", Code::Forbidden, "its directory belongs to another user",
     "remove and add the remote again, so that it is listed as safe"},
    {"not allowed", Code::Forbidden, "its protocol is not allowed",
     "use an https, ssh or file address"},
    {"Repository not found", Code::NotFound,
     "there is no repository, or this account may not see it",
     "create it there, or correct the address"},
    {"does not appear to be a git repository", Code::NotFound, "there is no repository",
     "create it there, or correct the address"},
    {"repository not exported", Code::NotFound, "there is no repository for this account",
     "create it there, or correct the address"},
    {"' not found", Code::NotFound, "there is no repository, or this account may not see it",
     "create it there, or correct the address"},
    {"error: 404", Code::NotFound, "there is no repository, or this account may not see it",
     "create it there, or correct the address"},
    {"not a git repository", Code::NotFound, "there is no repository",
     "create it there, or correct the address"},
    {"No space left on device", Code::Full, "a disk is full", "make room"},
    {"Disk quota exceeded", Code::Full, "a disk quota is used up", "make room"},
    {"exceeds maximum allowed size", Code::TooLarge, "it takes no transfer of this size",
     "raise the host's limit for a push"},
    {"File too large", Code::TooLarge, "it sends more than the volumes asked for may hold",
     "look who else writes to this repository"},
    {"Out of memory", Code::TooLarge, "it sends an object larger than any of ours",
     "look who else writes to this repository"},
    {"out of memory", Code::TooLarge, "it sends an object larger than any of ours",
     "look who else writes to this repository"},
    {"missing necessary objects", Code::Corrupt, "its repository is damaged", ""},
    {"unable to read tree", Code::Corrupt, "its repository is damaged", ""},
    {"bad object", Code::Corrupt, "its repository is damaged", ""},
    {"is corrupt", Code::Corrupt, "its repository is damaged", ""},
    {"object file", Code::Corrupt, "its repository is damaged", ""},
    {"bad line length", Code::Malformed, "what it says is not git's protocol",
     "see that the address is right; if it is, ask the host's administrator"},
    {"protocol error", Code::Malformed, "what it says is not git's protocol",
     "see that the address is right; if it is, ask the host's administrator"},
    {"invalid index-pack output", Code::Malformed, "what it sends is no pack",
     "ask the host's administrator to run `git fsck` on it"},
    {"bad pack", Code::Malformed, "what it sends is no pack",
     "ask the host's administrator to run `git fsck` on it"},
    {"cannot lock ref", Code::Conflict, "a transfer that was cut off left a lock there",
     "sync again in an hour, which removes it, or remove its *.lock files if nothing writes there"},
    {"Read-only file system", Code::Forbidden, "it is read-only", "make it writable"},
    {"insufficient permission", Code::Forbidden, "this account has no write right there",
     "give the service user write access to it"},
    {"Permission denied", Code::Forbidden, "this account has no write right there",
     "give the service user write access to it"},
    {"hook declined", Code::Forbidden, "it declined the change (a hook or branch rule)",
     "let this account push to refs/heads/log/* and refs/heads/dutybook there"},
    {"protected branch", Code::Forbidden, "it protects the branch",
     "let this account push to refs/heads/log/* and refs/heads/dutybook there"},
    {"read-only", Code::Forbidden, "this account may only read there",
     "register the key with write access"},
    {"fsck error", Code::Conflict, "it sent an object that is not well-formed",
     "look who else writes to this repository"},
    {"fatal: expected '", Code::Malformed, "what it says is not git's protocol",
     "see that the address is right; if it is, ask the host's administrator"},
    {"not our ref", Code::Conflict, "it lists what it does not hand out",
     "ask the host's administrator to run `git fsck` on it, or sync with another remote"},
    {"Connection closed by", Code::Unavailable, "its host closed the connection", look_network},
    {"closed by remote host", Code::Unavailable, "its host closed the connection", look_network},
    {"Connection reset by", Code::Unavailable, "its host closed the connection", look_network},
    {"hung up", Code::Unavailable, "the link dropped", "it goes on from there with the next sync"},
    {"RPC failed", Code::Unavailable, "the link dropped",
     "it goes on from there with the next sync"},
}};

// The line that says most: the last that git marked as an error, else the last that is not empty.
std::string telling_line(std::string_view said) {
    std::string last, marked;
    std::size_t begin = 0;
    while (begin < said.size()) {
        const auto end = std::min(said.find_first_of("\r\n", begin), said.size());
        const std::string_view line = said.substr(begin, end - begin);
        begin = end + 1;
        if (line.find_first_not_of(' ') == std::string_view::npos) continue;
        last = line;
        if (line.starts_with("fatal:") || line.starts_with("error:") || line.starts_with("ERROR:"))
            marked = line;
    }
    return marked.empty() ? last : marked;
}

}  // namespace

std::string words_of_host(std::string_view said) {
    constexpr std::string_view mark = "remote: ";
    std::string words;
    for (std::size_t begin = 0; begin < said.size();) {
        const auto end = std::min(said.find_first_of("\r\n", begin), said.size());
        std::string_view line = said.substr(begin, end - begin);
        begin = end + 1;
        if (!line.starts_with(mark) || line.find("% (") != line.npos) continue;  // its progress
        line.remove_prefix(mark.size());
        line = line.substr(0, line.find_last_not_of(' ') + 1);
        if (!line.empty()) words.append(words.empty() ? "" : " / ").append(line);
    }
    return printable(redacted(words), 300);
}

std::string name_of_remote(const std::string& name, const std::string& url) {
    return "remote " + name + " (" + redacted(url) + ")";
}

Error sort_out(std::string_view said, Step step, const std::string& name, const RemoteUrl& url) {
    const std::string who = name_of_remote(name, url.url);
    const std::string line = printable(redacted(telling_line(said)), 300);
    for (const Sign& sign : signs) {
        if (said.find(sign.text) == std::string_view::npos) continue;
        Error error = failure(sign.code, who, std::string(sign.why), std::string(sign.fix));
        // Damage that git reports is only the remote's where both ends run on this machine.
        if (sign.code == Code::Corrupt && url.kind != RemoteKind::Directory)
            error.fix = "ask the host's administrator to run `git fsck` on it";
        if (sign.code == Code::Full)
            error.why = step == Step::Push ? "the disk there is full" : "the disk here is full";
        if (!line.empty()) error.why += " (" + line + ")";
        return error;
    }
    return failure(Code::Unavailable, who, line.empty() ? "git failed without a word" : line,
                   "run `dutybook remote check " + name + "`");
}

}  // namespace dutybook::sync
