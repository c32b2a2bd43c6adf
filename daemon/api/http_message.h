#pragma once
// What a request's head and an answer's head say on the wire, and what is not let through there.
// Internal to connection.cpp and exchange.cpp. Beast parses; answers are put together by hand,
// which halves the copies of a small answer.

#include "api/server.h"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/verb.hpp>

#include <optional>

namespace dutybook::api {

using RequestHead = boost::beast::http::request_header<>;

struct Framing {
    bool keep_alive = true;
    bool chunked = true;  // HTTP/1.1; else the end of the connection ends the answer
};

Method method_of(boost::beast::http::verb verb);
// `lower` is lower case; names of headers and codings know no case.
bool same_name(std::string_view wire, std::string_view lower);
// False if a header came twice that may come once.
bool copy_headers(const boost::beast::http::fields& fields, Request& request);
// A header that goes on in a second line means one thing here and another to a proxy in front
// (RFC 9112, 5.2 lets a server refuse it). A field is always parsed whole, so looking at each piece
// that the parser took is enough.
bool folded(std::string_view piece);
// Why the end of the body could be seen elsewhere than here (RFC 9112, 6.1 to 6.3), or nothing.
// Beast lets through an unknown coding, a coding of HTTP/1.0 and a length given twice.
std::optional<Error> doubtful_framing(const RequestHead& message);
// The Content-Encoding of the body: none is decoded here (a small one may hold gigabytes).
std::optional<std::string> coded(const RequestHead& message);
// The status line and headers of an answer. `length` = nothing: in chunks.
std::string head_of(const Response& response, const Framing& framing,
                    std::optional<std::size_t> length);

}  // namespace dutybook::api
