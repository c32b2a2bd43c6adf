#include "api/server.h"

#include "api/connection.h"
#include "api/problem.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include <fcntl.h>
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
    const bool full = ec == boost::system::errc::no_space_on_device;
    return failure(
        full ? Code::Full : Code::Io, std::move(what), ec.message(),
        full ? "make room on the disk; df -i tells whether it has run out of files" : "");
}

}  // namespace

struct Server::State {
    ServerOptions options;
    std::shared_ptr<Shared> shared = std::make_shared<Shared>();
    std::vector<std::shared_ptr<Loop>> loops;
    std::vector<std::unique_ptr<Local::acceptor>> locals;  // the own socket, the shared one
    std::optional<Tcp::acceptor> tcp;
    std::string http_address, http_error;
    std::size_t next_loop = 0;  // first loop's thread
    // First loop's thread; connections hold what they count in.
    std::shared_ptr<Quota> own_quota, tcp_quota, refused_quota;
    std::map<uid_t, std::shared_ptr<Quota>> account_quotas;
    std::map<uid_t, std::string> names;
    std::vector<asio::executor_work_guard<Executor>> guards;
    bool stopped = false;

    Result<void> listen_local(const std::filesystem::path& path, unsigned mode);
    Result<void> listen_tcp();
    void accept_local(Local::acceptor& local);
    void accept_tcp();
    struct Visitor {
        Peer peer;
        std::shared_ptr<Quota> quota;
        std::optional<Response> refusal;
    };
    template <class Accepted>
    void adopt(Accepted socket, Visitor visitor);
    Visitor judge(int fd);
    std::shared_ptr<Quota> quota_of(uid_t uid);
    void sweep(std::size_t index);
};

std::shared_ptr<Quota> quota_for(std::size_t most) {
    auto quota = std::make_shared<Quota>();
    quota->most = most;
    return quota;
}

Result<void> Server::State::listen_local(const std::filesystem::path& where, unsigned mode) {
    const std::string path = where.string();
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return failure(
            Code::Malformed, "the socket's path is too long", path,
            "choose a store directory with a shorter path (107 characters with the socket)");
    // We hold the store's lock: a socket that lies here is of a daemon that is gone.
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
        return failure(Code::Exists, path + " is no socket", "it would have to be removed",
                       "choose another path for --socket");
    ::unlink(path.c_str());
    boost::system::error_code ec;
    auto local = std::make_unique<Local::acceptor>(loops[0]->context);
    local->open(Local(), ec);
    // The mode must be right before anybody can connect, and umask belongs to the whole process:
    // bind, chmod, and only then listen.
    if (!ec) local->bind(Local::endpoint(path), ec);
    if (ec) return system_failure("cannot make the socket " + path, ec);
    if (::chmod(path.c_str(), mode) != 0)
        return failure(Code::Io, "cannot set the mode of the socket " + path);
    local->listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return system_failure("cannot listen on the socket " + path, ec);
    locals.push_back(std::move(local));
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

std::shared_ptr<Quota> Server::State::quota_of(uid_t uid) {
    // Accounts come and go; what nobody is connected by is forgotten.
    std::erase_if(account_quotas, [](const auto& one) { return one.second->used == 0; });
    auto& quota = account_quotas[uid];
    if (!quota) quota = quota_for(options.limits.account_connections);
    return quota;
}

// Who is at the other end of a Unix socket: the service's own account, root, or an account that
// the administrator let in.
Server::State::Visitor Server::State::judge(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return {{},
                refused_quota,
                problem(failure(Code::Forbidden, "it is not known who is calling", {},
                                "call from an account of this machine"))};
    auto [name, fresh] = names.try_emplace(credentials.uid);
    if (fresh) name->second = account_name(credentials.uid);
    const std::string& account = name->second;
    if (credentials.uid == geteuid() || credentials.uid == 0)
        return {{Door::Socket, account, Role::Admin, {}}, own_quota, std::nullopt};
    auto known = options.accounts ? options.accounts->judge(credentials.uid, credentials.gid)
                                  : std::optional<Peer>();
    if (known) return {std::move(*known), quota_of(credentials.uid), std::nullopt};
    return {{Door::Socket, account, Role::Reader, {}},
            refused_quota,
            problem(failure(Code::Forbidden, "account " + account + " may not use this daemon",
                            "only the account that runs it, root and those that it lets in may",
                            "ask that account for: dutybook account add " + account))};
}

template <class Accepted>
void Server::State::adopt(Accepted socket, Visitor visitor) {
    boost::system::error_code ec;
    const auto protocol = socket.local_endpoint(ec).protocol();
    const int fd = ec ? -1 : socket.release(ec);
    if (fd < 0 || ec) return;
    if (!visitor.refusal && visitor.quota->used >= visitor.quota->most) {
        visitor.refusal = problem(failure(Code::Unavailable, "too many connections", {},
                                          "close some, or try again in a moment"));
        visitor.quota = refused_quota;
    }
    // A flood that is refused must not fill memory either: beyond the bound, just close.
    if (visitor.refusal && refused_quota->used >= refused_quota->most) {
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
    auto connection = std::make_shared<Connection>(
        shared, loop, std::move(stream), std::move(visitor.peer), std::move(visitor.quota));
    asio::post(loop->context, [connection, refusal = std::move(visitor.refusal)]() mutable {
        if (refusal) {
            connection->refuse_and_close(std::move(*refusal));
        } else {
            connection->begin();
        }
    });
}

void Server::State::accept_local(Local::acceptor& local) {
    local.async_accept([this, &local](const boost::system::error_code& ec, Local::socket socket) {
        if (!local.is_open()) return;
        if (!ec) {
            Visitor visitor = judge(socket.native_handle());
            adopt(std::move(socket), std::move(visitor));
        }
        accept_local(local);
    });
}

void Server::State::accept_tcp() {
    tcp->async_accept([this](const boost::system::error_code& ec, Tcp::socket socket) {
        if (!tcp || !tcp->is_open()) return;
        if (!ec) {
            boost::system::error_code ignored;
            socket.set_option(Tcp::no_delay(true), ignored);
            adopt(std::move(socket), {Peer{Door::Tcp, {}, Role::Reader, {}}, tcp_quota, {}});
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
    const ServerLimits& limits = state->options.limits;
    state->own_quota = quota_for(limits.own_connections);
    state->tcp_quota = quota_for(limits.tcp_connections);
    state->refused_quota = quota_for(limits.refused_connections);
    if (!state->options.socket.empty()) TRY(state->listen_local(state->options.socket, 0600));
    // 0666: who may do what is judged by credentials; a mode could name one group only.
    if (!state->options.shared_socket.empty())
        TRY(state->listen_local(state->options.shared_socket, 0666));
    if (!state->options.http.empty()) TRY(state->listen_tcp());
    if (state->options.on_listening) state->options.on_listening(state->http_address);
    for (const auto& local : state->locals) state->accept_local(*local);
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
        for (const auto& local : state.locals) local->close(ignored);
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
    for (const auto& socket : {state.options.socket, state.options.shared_socket})
        if (!socket.empty()) ::unlink(socket.c_str());
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
