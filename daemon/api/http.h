#pragma once
// Requests and answers as the rest of this folder sees them: no Beast, no Asio.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace dutybook::api {

enum class Method : std::uint8_t { Get, Post, Patch, Delete, Other };
std::string_view name_of(Method method);

// The headers that mean something here; all others are dropped unread. One that comes twice is
// refused, except Accept (the last counts).
enum class Header : std::uint8_t {
    Host,
    Origin,
    SecFetchSite,
    Authorization,
    ContentType,
    Accept,
    IfMatch,
    IdempotencyKey,
    LastEventId,
    AcceptLanguage,
    By,
    OnBehalf,
    Device,
    Source,
    Count_
};
// The name on the wire, lower case.
std::string_view name_of(Header header);

enum class Door : std::uint8_t { Socket, Tcp };

// What a caller may do; each includes the one before. An admin also changes the daemon itself:
// remotes, members, plugins, tokens, accounts. Only the socket knows admins.
enum class Role : std::uint8_t { Reader, Writer, Admin };
std::string_view name_of(Role role);  // reader writer admin
std::optional<Role> role_from(std::string_view name);

struct Peer {
    Door door = Door::Socket;
    // Socket only, by the credentials of the process at the other end:
    std::string account;
    Role role = Role::Admin;
    std::string person;  // whom the account stands for; empty = whoever it names
    // Of an account that an entry lets in: its credentials, and the state of the entries by which
    // it was judged. 0: the service's own account or root, which need none.
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint64_t judged = 0;
};

struct Endpoint;

struct Request {
    Method method = Method::Other;
    std::string target;  // as sent: path and query, percent-encoded
    std::array<std::string, static_cast<std::size_t>(Header::Count_)> headers;
    bool has_body = false;
    bool streamed = false;  // the handler reads the body itself
    std::string body;       // whole, unless it is streamed
    Peer peer;

    // Filled in by Handler::admit.
    const Endpoint* endpoint = nullptr;
    std::vector<std::string> arguments;                      // of the path template, decoded
    std::vector<std::pair<std::string, std::string>> query;  // decoded, checked
    std::string person;                                      // who a token stands for

    const std::string& header(Header name) const { return headers[static_cast<std::size_t>(name)]; }
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
};
std::string_view reason_phrase(unsigned status);

// The way back to one request's client. Any thread, unless said otherwise. One that is dropped
// without an answer answers 500 by itself. After the client went away everything is a no-op.
class Responder {
public:
    virtual ~Responder() = default;

    virtual void send(Response response) = 0;

    // An answer in pieces: start, any number of writes, finish.
    virtual void start(Response head) = 0;
    virtual void write(std::string bytes) = 0;
    virtual void finish() = 0;
    virtual std::size_t queued() const = 0;  // bytes that the client has not taken yet
    virtual bool gone() const = 0;
    // Called on the connection's thread each time that the queue ran empty, or the client went.
    virtual void on_drained(std::function<void()> call) = 0;

    // The next piece of a streamed body, on the connection's thread. `ok` false: it broke off or
    // is not HTTP. One read at a time.
    using OnBody = std::function<void(std::string piece, bool last, bool ok)>;
    virtual void read_body(OnBody call) = 0;
    // Runs on the connection's thread.
    virtual void post(std::function<void()> task) = 0;
};

struct Admission {
    std::optional<Response> refusal;  // answered without reading the body
    bool stream_body = false;         // handle() is called at once and reads the body itself
};

// What the server calls, on a connection's thread; must not block.
class Handler {
public:
    virtual ~Handler() = default;
    virtual Admission admit(Request& head) = 0;
    virtual void handle(Request request, std::shared_ptr<Responder> responder) = 0;
    virtual void tick() {}  // each second, on one thread
};

// "%41" -> "A". Nothing if an escape is broken or the result is not UTF-8 or holds NUL.
std::optional<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);
bool valid_utf8(std::string_view text);

}  // namespace dutybook::api
