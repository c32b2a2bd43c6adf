#include "sync/remote_url.h"

#include <algorithm>

namespace dutybook::sync {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool escape = text[at] == '%' && at + 2 < text.size() &&
                            hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0;
        if (!escape) {
            out += text[at];
            continue;
        }
        out += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
        at += 2;
    }
    return out;
}

Error not_a_remote(const std::string& text) {
    Error error = malformed("\"" + redacted(text) + "\" is no remote address");
    error.fix =
        "use https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, file:///PATH or an absolute "
        "path";
    return error;
}

// It could end a line of a file, or a file's name, before it is at its end.
bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return c >= 0 && (c < 32 || c == 127); });
}

// A host or user that begins with '-' would be read as an option by ssh.
bool safe_host(std::string_view host) {
    return !host.empty() && host.front() != '-' && host.front() != '@' && host.back() != '@' &&
           host.find("@-") == std::string_view::npos && host.find(' ') == std::string_view::npos;
}

RemoteUrl https_url(const std::string& text) {
    RemoteUrl url{RemoteKind::Https, text, {}, {}, {}};
    if (redacted(text) == text) return url;
    url.sign_in = text;
    url.url.erase(8, text.substr(0, text.find('/', 8)).rfind('@') + 1 - 8);
    return url;
}

Result<RemoteUrl> ssh_url(const std::string& text) {
    const std::string rest = text.substr(6);
    const auto slash = rest.find('/');
    std::string host = rest.substr(0, slash);
    if (slash == std::string::npos || slash + 1 == rest.size()) return not_a_remote(text);
    RemoteUrl url{RemoteKind::Ssh, text, {}, {}, {}};
    const auto colon = host.rfind(':');
    const auto bracket = host.rfind(']');  // [::1]:22
    if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
        url.port = host.substr(colon + 1);
        host.resize(colon);
    }
    std::erase_if(host, [](char c) { return c == '[' || c == ']'; });
    if (!safe_host(host) || url.port.find_first_not_of("0123456789") != std::string::npos)
        return not_a_remote(text);
    url.user_host = host;
    return url;
}

Result<RemoteUrl> scp_like(const std::string& text) {
    const auto colon = text.find(':');
    const auto slash = text.find('/');
    if (colon == std::string::npos || (slash != std::string::npos && slash < colon))
        return not_a_remote(text);
    const std::string host = text.substr(0, colon);
    if (!safe_host(host) || colon + 1 == text.size() || text.compare(colon, 2, "::") == 0)
        return not_a_remote(text);
    return RemoteUrl{RemoteKind::Ssh, text, {}, host, {}};
}

}  // namespace

Result<RemoteUrl> parse_remote_url(const std::string& text) {
    if (text.empty() || has_control(text) || text.size() > 2048) return not_a_remote(text);
    if (text.front() == '/') return RemoteUrl{RemoteKind::Directory, text, text, {}, {}};
    if (text.starts_with("file:///")) {
        const std::string directory = decoded(text.substr(7));
        if (has_control(directory)) return not_a_remote(text);
        return RemoteUrl{RemoteKind::Directory, text, directory, {}, {}};
    }
    if (text.starts_with("https://") && text.size() > 8 && text[8] != '/') return https_url(text);
    if (text.starts_with("ssh://")) return ssh_url(text);
    if (text.find("://") != std::string::npos) return not_a_remote(text);
    return scp_like(text);
}

std::string redacted(const std::string& url) {
    const auto scheme = url.find("://");
    if (scheme == std::string::npos) return url;
    const auto begin = scheme + 3;
    const auto at = url.substr(0, url.find('/', begin)).rfind('@');
    if (at == std::string::npos) return url;
    const auto colon = url.find(':', begin);
    if (colon == std::string::npos || colon > at) return url;
    return url.substr(0, colon) + url.substr(at);
}

}  // namespace dutybook::sync
