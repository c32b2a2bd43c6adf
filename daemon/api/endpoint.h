#pragma once
// The declaration of one endpoint. It drives dispatch, the checks of path, query and body, and the
// OpenAPI document; a handler sees only what passed.

#include "api/http.h"
#include "base/json.h"
#include "base/result.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::api {

class Call;
using CallPtr = std::shared_ptr<Call>;

enum class Type : std::uint8_t { Text, Flag, Number, Instant, Object, Any };

struct Query {
    std::string_view name;
    Type type = Type::Text;
    std::string_view what;
    bool repeatable = false;
    bool required = false;
};

struct Member {  // of a JSON body
    std::string_view name;
    Type type = Type::Text;
    bool required = false;
    bool nullable = false;
    std::string_view what = {};
};

enum class Body : std::uint8_t {
    None,      // one that comes is refused
    Members,   // a JSON object with these members and no others
    Optional,  // the same, or no body
    Patch,     // a JSON merge patch: any object
    Record,    // the members, others ignored; or NDJSON of such objects, streamed
};

enum class Access : std::uint8_t {
    Anyone,  // no token
    Reader,
    Writer,
    SocketOnly,  // an admin at the socket; never over TCP
};

// Where a handler runs. Here: on the connection's thread, must not block. Pool: on a worker thread,
// may wait for a space's thread, the disk, a transfer.
enum class Runs : std::uint8_t { Here, Pool };

struct Endpoint {
    Method method = Method::Get;
    std::string_view path;  // "/v1/spaces/{space}/records"
    std::string_view name;  // operationId
    std::string_view summary;
    std::vector<Query> query = {};
    Body body = Body::None;
    std::vector<Member> members = {};
    unsigned status = 200;         // of success
    std::string_view answer = {};  // schema's name ("record"), empty = no schema of its own
    bool list = false;             // {"items":[answer...],"next"}
    bool stream = false;           // NDJSON progress on request
    Access access = Access::Reader;
    Runs runs = Runs::Here;
    std::function<void(const CallPtr&)> run = {};
};

// The parameters that every change of a record takes.
std::vector<Query> reason_query();

// Splits and decodes "/a/b?x=1&y": Code::Malformed if an escape is broken.
struct Target {
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> query;
};
Result<Target> parse_target(std::string_view target);

Result<void> check_query(const Endpoint& endpoint, const Target& target);
Result<void> check_members(const Endpoint& endpoint, const Json& body);

class Router {
public:
    void add(std::vector<Endpoint> endpoints);
    // The endpoint for a path, its template's arguments in order. A path that is served under
    // other methods gives those instead ("GET, POST").
    struct Match {
        const Endpoint* endpoint = nullptr;
        std::vector<std::string> arguments;
        std::string allowed;
    };
    Match match(Method method, const std::vector<std::string>& segments) const;
    const std::vector<std::unique_ptr<Endpoint>>& endpoints() const { return endpoints_; }

private:
    struct Entry {
        std::vector<std::string_view> segments;
        const Endpoint* endpoint = nullptr;
    };
    std::vector<std::unique_ptr<Endpoint>> endpoints_;  // in order of declaration
    std::vector<std::vector<Entry>> by_length_;
};

// The OpenAPI 3.1 document of all routes, as schemas/openapi.json holds it.
std::string openapi_document(const Router& router);

}  // namespace dutybook::api
