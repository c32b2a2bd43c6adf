#include "api/server.h"

#include "api/connection.h"
#include "api/problem.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <map>

namespace dutybook::api {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

Result<HttpAddress> parse_http_address(std::string_view text) {
    const auto refuse_text = [&](std::string why) {
        return failure(Code::Malformed, "--http " + std::string(text) + " cannot be used",
                       std::move(why), "name a loopback address such as 127.0.0.1:7316, or off");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse_text("it has no port");
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    HttpAddress address;
    address.host = std::string(host);
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (ec != std::errc{} || end != port.data() + port.size())
        return refuse_text("its port is no port");
    boost::system::error_code bad;
    const auto ip = asio::ip::make_address(address.host, bad);
    if (bad) return refuse_text("it is no address");
    if (!ip.is_loopback())
        return refuse_text(
            "other machines could reach it, and records would cross the network in plain text");
    return address;
}

namespace {

Error system_failure(std::string what, const boost::system::error_code& ec) {
    return failure(Code::Io, std::move(what), ec.message());
}

std::string account_of(uid_t uid) {
    std::string buffer(4096, '\0');
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found)
        return found->pw_name;
    return "uid" + std::to_string(uid);
}

bool in_group(uid_t uid, gid_t primary, gid_t group) {
    if (primary == group) return true;
    int count = 256;
    std::vector<gid_t> groups(256);
    if (getgrouplist(account_of(uid).c_str(), primary, groups.data(), &count) < 0) return false;
    groups.resize(static_cast<std::size_t>(count));
    for (const gid_t one : groups) {
        if (one == group) return true;
    }
    return false;
}

}  // namespace

struct Server::State {
    ServerOptions options;
    std::shared_ptr<Shared> shared = std::make_shared<Shared>();
    std::vector<std::shared_ptr<Loop>> loops;
    std::optional<Local::acceptor> local;
    std::optional<Tcp::acceptor> tcp;
    std::optional<gid_t> group;
    std::string http_address, http_error;
    std::map<uid_t, std::string> accounts;  // first loop's thread
    std::size_t next_loop = 0;              // first loop's thread
    std::vector<asio::executor_work_guard<Executor>> guards;
    bool stopped = false;

    Result<void> listen_local();
    Result<void> listen_tcp();
    void accept_local();
    void accept_tcp();
    template <class Accepted>
    void adopt(Accepted socket, Peer peer, std::optional<Response> refusal);
    std::optional<Response> judge(int fd, Peer& peer);
    void sweep(std::size_t index);
};

Result<void> Server::State::listen_local() {
    if (!options.group.empty()) {
        const struct group* entry = getgrnam(options.group.c_str());
        if (!entry)
            return failure(Code::NotFound, "there is no group " + options.group, {},
                           "make it with groupadd, or leave --group out");
        group = entry->gr_gid;
    }
    const std::string path = options.socket.string();
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return failure(
            Code::Malformed, "the socket's path is too long", path,
            "choose a store directory with a shorter path (107 characters with the socket)");
    // We hold the store's lock: a socket that lies here is of a daemon that is gone.
    ::unlink(path.c_str());
    boost::system::error_code ec;
    local.emplace(loops[0]->context);
    local->open(Local(), ec);
    // The mode must be right before anybody can connect, and umask belongs to the whole process:
    // bind, chmod, and only then listen.
    if (!ec) local->bind(Local::endpoint(path), ec);
    if (ec) return system_failure("cannot make the socket " + path, ec);
    if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
        return failure(Code::Io, "cannot give the socket to group " + options.group);
    if (::chmod(path.c_str(), group ? 0660 : 0600) != 0)
        return failure(Code::Io, "cannot set the mode of the socket " + path);
    local->listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return system_failure("cannot listen on the socket " + path, ec);
    return {};
}

Result<void> Server::State::listen_tcp() {
    TRY_ASSIGN(const HttpAddress address, parse_http_address(options.http));
    const Tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    boost::system::error_code ec;
    tcp.emplace(loops[0]->context);
    tcp->open(endpoint.protocol(), ec);
    if (!ec) tcp->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) tcp->bind(endpoint, ec);
    if (!ec) tcp->listen(asio::socket_base::max_listen_connections, ec);
    if (ec) {
        tcp.reset();
        http_error = "cannot listen on " + options.http + ": " + ec.message();
        return {};
    }
    const std::string host =
        address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]";
    http_address = host + ":" + std::to_string(tcp->local_endpoint().port());
    return {};
}

// Who is at the other end of the Unix socket: the service's own user, root, or a member of the
// group that the administrator named.
std::optional<Response> Server::State::judge(int fd, Peer& peer) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return problem(failure(Code::Forbidden, "it is not known who is calling"));
    auto [entry, fresh] = accounts.try_emplace(credentials.uid);
    if (fresh) entry->second = account_of(credentials.uid);
    peer.account = entry->second;
    const bool allowed = credentials.uid == geteuid() || credentials.uid == 0 ||
                         (group && in_group(credentials.uid, credentials.gid, *group));
    if (allowed) return std::nullopt;
    return problem(failure(Code::Forbidden, "account " + peer.account + " may not use this daemon",
                           "only the service's own account, root and its group may",
                           "ask the administrator to start dutybookd with --group"));
}

template <class Accepted>
void Server::State::adopt(Accepted socket, Peer peer, std::optional<Response> refusal) {
    boost::system::error_code ec;
    const auto protocol = socket.local_endpoint(ec).protocol();
    const int fd = ec ? -1 : socket.release(ec);
    if (fd < 0 || ec) return;
    if (!refusal && shared->connections.load() >= options.limits.connections) {
        refusal = problem(failure(Code::Unavailable, "too many connections", {},
                                  "close some, or try again in a moment"));
    }
    // A flood that is refused must not fill memory either: beyond twice the bound, just close.
    if (shared->connections.load() >= 2 * options.limits.connections) {
        ::close(fd);
        return;
    }
    const auto& loop = loops[next_loop++ % loops.size()];
    StreamSocket stream(loop->context.get_executor());
    stream.assign(asio::generic::stream_protocol(protocol), fd, ec);
    if (ec) {
        ::close(fd);
        return;
    }
    auto connection =
        std::make_shared<Connection>(shared, loop, std::move(stream), std::move(peer));
    asio::post(loop->context, [connection, refusal = std::move(refusal)]() mutable {
        if (refusal) {
            connection->refuse_and_close(std::move(*refusal));
        } else {
            connection->begin();
        }
    });
}

void Server::State::accept_local() {
    local->async_accept([this](const boost::system::error_code& ec, Local::socket socket) {
        if (!local || !local->is_open()) return;
        if (!ec) {
            Peer peer{Door::Socket, {}};
            auto refusal = judge(socket.native_handle(), peer);
            adopt(std::move(socket), std::move(peer), std::move(refusal));
        }
        accept_local();
    });
}

void Server::State::accept_tcp() {
    tcp->async_accept([this](const boost::system::error_code& ec, Tcp::socket socket) {
        if (!tcp || !tcp->is_open()) return;
        if (!ec) {
            boost::system::error_code ignored;
            socket.set_option(Tcp::no_delay(true), ignored);
            adopt(std::move(socket), Peer{Door::Tcp, {}}, std::nullopt);
        }
        accept_tcp();
    });
}

void Server::State::sweep(std::size_t index) {
    Loop& loop = *loops[index];
    loop.timer.expires_after(std::chrono::milliseconds(500));
    loop.timer.async_wait([this, index](const boost::system::error_code& ec) {
        // An expiry that was queued when stop() took the timer over comes without an error.
        if (ec || shared->stopping) return;
        // A close takes its connection out of the set.
        std::vector<std::shared_ptr<Connection>> all;
        for (Connection* connection : loops[index]->connections)
            all.push_back(connection->shared_from_this());
        const Moment now = std::chrono::steady_clock::now();
        for (const auto& connection : all) connection->sweep(now);
        if (index == 0) options.handler->tick();
        sweep(index);
    });
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    state->shared->handler = state->options.handler;
    state->shared->limits = state->options.limits;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, state->options.threads); ++i)
        state->loops.push_back(std::make_shared<Loop>());
    if (!state->options.socket.empty()) TRY(state->listen_local());
    if (!state->options.http.empty()) TRY(state->listen_tcp());
    if (state->options.on_listening) state->options.on_listening(state->http_address);
    if (state->local) state->accept_local();
    if (state->tcp) state->accept_tcp();
    for (std::size_t i = 0; i < state->loops.size(); ++i) {
        Loop& loop = *state->loops[i];
        state->guards.emplace_back(loop.context.get_executor());
        state->sweep(i);
        loop.thread = std::thread([&loop, i] {
            pthread_setname_np(pthread_self(), ("io-" + std::to_string(i)).c_str());
            loop.context.run();
        });
    }
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

const std::string& Server::http_address() const {
    return state_->http_address;
}
const std::string& Server::http_error() const {
    return state_->http_error;
}

void Server::stop() {
    State& state = *state_;
    if (std::exchange(state.stopped, true)) return;
    state.shared->stopping = true;
    asio::post(state.loops[0]->context, [&state] {
        boost::system::error_code ignored;
        if (state.local) state.local->close(ignored);
        if (state.tcp) state.tcp->close(ignored);
    });
    state.guards.clear();
    for (const auto& loop : state.loops) {
        asio::post(loop->context, [&state, loop = loop.get()] {
            std::vector<std::shared_ptr<Connection>> all;
            for (Connection* connection : loop->connections)
                all.push_back(connection->shared_from_this());
            for (const auto& connection : all) connection->wind_down();
            // From here the timer has one job: to end what has not ended in the grace time.
            loop->timer.expires_after(state.options.limits.grace);
            loop->timer.async_wait([loop](const boost::system::error_code& ec) {
                if (ec) return;
                std::vector<std::shared_ptr<Connection>> late;
                for (Connection* connection : loop->connections)
                    late.push_back(connection->shared_from_this());
                for (const auto& connection : late) connection->close();
            });
            if (loop->connections.empty()) loop->timer.cancel();
        });
    }
    for (const auto& loop : state.loops) loop->thread.join();
    if (!state.options.socket.empty()) ::unlink(state.options.socket.c_str());
}

Server::~Server() {
    stop();
    // Answers that came after the threads ended still lie in the loops' queues and hold their
    // connections; run them (they find their connection closed).
    for (const auto& loop : state_->loops) {
        loop->context.restart();
        loop->context.poll();
    }
}

}  // namespace dutybook::api
