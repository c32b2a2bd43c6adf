#pragma once
// HTTP/1.1 over the daemon's Unix socket, for one thread. The only place of the client that knows
// sockets; Boost.Beast stays in http.cpp.

#include "base/result.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace dutybook::cli {

struct HttpRequest {
    std::string method = "GET";
    std::string target;
    std::map<std::string, std::string> headers;  // values are sent as they are
    std::string body;
};

struct HttpResponse {
    unsigned status = 0;
    std::string content_type;
    std::string body;
};

class HttpConnection {
public:
    // Code::Unavailable where nobody listens (exit 5 of the client).
    static Result<HttpConnection> open(const std::string& socket);
    HttpConnection(HttpConnection&&) noexcept;
    HttpConnection& operator=(HttpConnection&&) noexcept;
    ~HttpConnection();

    Result<HttpResponse> call(const HttpRequest& request);

    // Gives the next bytes of an upload, empty at the end. Called on a thread of its own.
    using Source = std::function<Result<std::string>()>;
    using OnLine = std::function<void(std::string_view)>;
    // Sends the request, with `source` as a chunked body if there is one, while it reads the
    // answer: a daemon that answers line by line would otherwise wait for us and we for it. Each
    // line of an application/x-ndjson answer goes to `on_line`; any other answer is returned whole.
    Result<HttpResponse> stream(const HttpRequest& request, const Source& source,
                                const OnLine& on_line);

private:
    struct State;
    explicit HttpConnection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Percent-encodes everything but unreserved characters (RFC 3986).
std::string percent_encode(std::string_view text);

}  // namespace dutybook::cli
