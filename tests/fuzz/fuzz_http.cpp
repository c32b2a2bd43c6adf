// Everything a client may send over a connection, through the real connection, gate and router:
// several requests one after the other, bodies in pieces, streams. Behind them stand endpoints of
// every shape, whose handlers only look at what they were given. The first byte says over which
// door the client came and in how many pieces.

#include "api/connection.h"
#include "api/gate.h"
#include "api/problem.h"
#include "fuzz/target.h"

#include <sys/socket.h>
#include <unistd.h>

using namespace dutybook;

namespace {

using api::Access;
using api::Body;
using api::Method;
using api::Type;

void echo(const Json& body, const std::shared_ptr<api::Responder>& responder) {
    responder->send({200, "application/json", canonical(body)});
}

// Takes a streamed body to its end.
void drink(const std::shared_ptr<api::Responder>& responder) {
    responder->read_body([responder](const std::string&, bool last, bool ok) {
        if (!last) return drink(responder);
        responder->start({ok ? 200U : 400U, api::lines_type, {}});
        responder->write("{}\n");
        responder->finish();
    });
}

class Desk final : public api::Handler {
public:
    Desk() : tokens_(*api::Tokens::open("/nonexistent/tokens.json")) {
        std::vector<api::Endpoint> endpoints;
        const auto add = [&](Method method, std::string_view path, Body body, Access access) {
            api::Endpoint one{method, path, "one", "an endpoint"};
            one.body = body;
            one.access = access;
            one.query = {{"limit", Type::Number, "how many"},
                         {"where", Type::Text, "field=value", true},
                         {"at", Type::Instant, "when"},
                         {"deleted", Type::Flag, "those too"}};
            one.members = {{"kind", Type::Text, true},
                           {"fields", Type::Object, true},
                           {"id", Type::Text, false, true},
                           {"count", Type::Number},
                           {"final", Type::Flag}};
            endpoints.push_back(std::move(one));
        };
        add(Method::Get, "/v1/status", Body::None, Access::Anyone);
        add(Method::Get, "/v1/spaces/{space}/records/{id}", Body::None, Access::Anyone);
        add(Method::Post, "/v1/spaces/{space}/records", Body::Record, Access::Anyone);
        add(Method::Patch, "/v1/spaces/{space}/records/{id}", Body::Patch, Access::Anyone);
        add(Method::Post, "/v1/spaces/{space}/check", Body::Members, Access::Anyone);
        add(Method::Post, "/v1/spaces/{space}/sync", Body::Optional, Access::Writer);
        add(Method::Delete, "/v1/tokens/{id}", Body::None, Access::SocketOnly);
        router_.add(std::move(endpoints));
        gate_.listen_on("127.0.0.1:7316");
    }

    api::Admission admit(api::Request& head) override {
        if (auto refusal = gate_.check_origin(head)) return {std::move(refusal), false};
        auto target = api::parse_target(head.target);
        if (!target) return {api::problem(target.error()), false};
        auto match = router_.match(head.method, target->segments);
        if (!match.endpoint) return {api::problem(failure(Code::NotFound, "no path")), false};
        if (auto refusal = api::check_access(*match.endpoint, head, *tokens_, nullptr))
            return {std::move(refusal), false};
        if (auto checked = api::check_query(*match.endpoint, *target); !checked)
            return {api::problem(checked.error()), false};
        if (auto refusal = api::check_body(*match.endpoint, head))
            return {std::move(refusal), false};
        fuzz::must(head.peer.door == api::Door::Socket || match.endpoint->access == Access::Anyone,
                   "nobody passes the gate over TCP without a token");
        for (const auto& argument : match.arguments)
            fuzz::must(api::valid_utf8(argument), "a path's arguments are text");
        head.endpoint = match.endpoint;
        head.arguments = std::move(match.arguments);
        head.query = std::move(target->query);
        return {std::nullopt,
                match.endpoint->body == Body::Record &&
                    api::media_type(head.header(api::Header::ContentType)) == api::lines_type};
    }

    void handle(api::Request request, std::shared_ptr<api::Responder> responder) override {
        if (request.streamed) return drink(responder);
        if (request.body.empty()) return echo(Json::object(), responder);
        const auto body = parse_json(request.body, {.depth = 32, .bytes = 1024 * 1024});
        if (!body) return responder->send(api::problem(body.error()));
        if (request.endpoint->body != Body::Patch) {
            if (auto checked = api::check_members(*request.endpoint, *body); !checked)
                return responder->send(api::problem(checked.error()));
        }
        echo(*body, responder);
    }

private:
    std::unique_ptr<api::Tokens> tokens_;
    api::Router router_;
    api::Gate gate_;
};

// What stands in the answers so far, thrown away.
void read_answers(int client) {
    char buffer[65536];
    while (::recv(client, buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
    }
}

void talk(std::string_view bytes, api::Door door, std::size_t pieces) {
    static Desk desk;
    int ends[2];
    fuzz::must(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a pair of sockets");
    auto shared = std::make_shared<api::Shared>();
    shared->handler = &desk;
    auto loop = std::make_shared<api::Loop>();
    api::StreamSocket stream(loop->context.get_executor());
    stream.assign(boost::asio::generic::stream_protocol(AF_UNIX, SOCK_STREAM), ends[0]);
    stream.non_blocking(true);
    api::Peer peer;
    peer.door = door;
    peer.account = "somebody";
    auto connection = std::make_shared<api::Connection>(shared, loop, std::move(stream), peer,
                                                        std::make_shared<api::Quota>());
    connection->begin();
    const std::size_t step = bytes.size() / pieces + 1;
    for (std::size_t at = 0; at < bytes.size() && !connection->closed(); at += step) {
        const auto piece = bytes.substr(at, step);
        if (::send(ends[1], piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) break;
        loop->context.poll();
        loop->context.restart();
        read_answers(ends[1]);
    }
    ::shutdown(ends[1], SHUT_WR);
    for (int turn = 0; turn < 4; ++turn) {
        loop->context.poll();
        loop->context.restart();
        read_answers(ends[1]);
    }
    connection->close();
    loop->context.poll();
    connection.reset();
    ::close(ends[1]);
    fuzz::must(shared->gathered == 0, "no body is counted after its connection has gone");
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(http) {
    if (bytes.empty()) return;
    const auto how = static_cast<unsigned char>(bytes.front());
    talk(bytes.substr(1), (how & 1) != 0 ? api::Door::Tcp : api::Door::Socket, 1 + (how >> 1 & 7));
    (void)api::percent_decode(bytes);
}
