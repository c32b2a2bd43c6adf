#include "api/http_message.h"

#include <array>
#include <ctime>
#include <utility>

namespace dutybook::api {

namespace http = boost::beast::http;

namespace {

bool digits(std::string_view text) {
    return !text.empty() && text.size() <= 19 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

const std::string& date_now() {
    thread_local std::time_t at = 0;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != at) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        char buffer[40];
        text.assign(buffer,
                    std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts));
        at = now;
    }
    return text;
}

}  // namespace

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::Get;
        case http::verb::post:
            return Method::Post;
        case http::verb::patch:
            return Method::Patch;
        case http::verb::delete_:
            return Method::Delete;
        default:
            return Method::Other;
    }
}

bool same_name(std::string_view wire, std::string_view lower) {
    if (wire.size() != lower.size()) return false;
    for (std::size_t i = 0; i < wire.size(); ++i) {
        const char c = wire[i] >= 'A' && wire[i] <= 'Z' ? static_cast<char>(wire[i] + 32) : wire[i];
        if (c != lower[i]) return false;
    }
    return true;
}

bool copy_headers(const http::fields& fields, Request& request) {
    std::array<bool, static_cast<std::size_t>(Header::Count_)> seen{};
    for (const auto& field : fields) {
        const std::string_view name{field.name_string().data(), field.name_string().size()};
        for (std::size_t i = 0; i < request.headers.size(); ++i) {
            const auto header = static_cast<Header>(i);
            if (!same_name(name, name_of(header))) continue;
            if (std::exchange(seen[i], true) && header != Header::Accept) return false;
            request.headers[i].assign(field.value().data(), field.value().size());
            break;
        }
    }
    return true;
}

bool folded(std::string_view piece) {
    for (auto at = piece.find('\n'); at != std::string_view::npos; at = piece.find('\n', at + 1)) {
        if (at + 1 < piece.size() && (piece[at + 1] == ' ' || piece[at + 1] == '\t')) return true;
    }
    return false;
}

std::optional<Error> doubtful_framing(const RequestHead& message) {
    const auto codings = message.equal_range(http::field::transfer_encoding);
    const auto lengths = message.equal_range(http::field::content_length);
    const auto count = [](const auto& range) { return std::distance(range.first, range.second); };
    const auto text = [](const auto& range) {
        return std::string_view(range.first->value().data(), range.first->value().size());
    };
    if (count(codings) + count(lengths) == 0) return std::nullopt;
    if (count(codings) + count(lengths) > 1)
        return malformed("the length of the body is given more than once");
    if (count(lengths) == 1 && !digits(text(lengths)))
        return malformed("Content-Length is no number");
    if (count(codings) == 1 && (message.version() < 11 || !same_name(text(codings), "chunked")))
        return malformed("the only Transfer-Encoding that is read is chunked, of HTTP/1.1");
    return std::nullopt;
}

std::optional<std::string> coded(const RequestHead& message) {
    const auto codings = message.equal_range(http::field::content_encoding);
    for (auto one = codings.first; one != codings.second; ++one) {
        const std::string_view coding{one->value().data(), one->value().size()};
        if (!coding.empty() && !same_name(coding, "identity")) return std::string(coding);
    }
    return std::nullopt;
}

std::string head_of(const Response& response, const Framing& framing,
                    std::optional<std::size_t> length) {
    std::string out;
    out.reserve(256 + length.value_or(0));
    out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    out.append(reason_phrase(response.status)).append("\r\nDate: ").append(date_now());
    if (response.status != 204) out.append("\r\nContent-Type: ").append(response.content_type);
    // Records are nobody's to cache or to guess types of.
    out.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    for (const auto& [name, value] : response.headers) {
        out.append(name).append(": ").append(value).append("\r\n");
    }
    if (length && response.status != 204) {
        out.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
    } else if (!length && framing.chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    if (!framing.keep_alive) out.append("Connection: close\r\n");
    return out.append("\r\n");
}

}  // namespace dutybook::api
