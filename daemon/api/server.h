#pragma once
// The HTTP server: accepts on the Unix socket and on loopback TCP, and gives each connection to one
// of a few io threads, which it never leaves. Each io thread has its own loop, so a connection
// needs no lock.
//
// Bounds: connections, header bytes, whole bodies (each and all together), time for a header, time
// without progress. A client that breaks one is answered where that makes sense, and closed.

#include "api/accounts.h"
#include "api/http.h"
#include "base/result.h"

#include <chrono>
#include <filesystem>

namespace dutybook::api {

struct ServerLimits {
    // Connections by sort of caller, so that none can lock another out.
    std::size_t own_connections = 128;     // the service's own account and root
    std::size_t account_connections = 32;  // each other account at the socket
    std::size_t tcp_connections = 128;     // anybody's
    std::size_t refused_connections = 32;  // being told that they are refused
    std::size_t header_bytes = 16 * 1024;
    std::size_t body_bytes = 1024 * 1024;
    std::size_t all_bodies_bytes = 48u * 1024 * 1024;  // whole bodies that are being gathered
    std::chrono::milliseconds idle{75'000};            // between requests
    std::chrono::milliseconds header{10'000};          // from the first byte to the end of headers
    std::chrono::milliseconds body{60'000};            // a whole body; of a stream: each piece
    std::chrono::milliseconds stalled{30'000};         // an answer that the client does not take
    std::chrono::milliseconds grace{2'000};            // for answers under way when stopping
};

struct ServerOptions {
    Handler* handler = nullptr;
    std::filesystem::path socket;  // the service's own; empty = none
    // A second socket outside of the store for other accounts (the store lets nobody in); empty =
    // none. Everybody may connect; who may do what is decided by `accounts`.
    std::filesystem::path shared_socket;
    const Accounts* accounts = nullptr;  // null = only the service's user and root
    // "ADDR:PORT" with a loopback address; port 0 picks one. Empty = no TCP.
    std::string http;
    std::size_t threads = 2;
    ServerLimits limits;
    // Told the address that TCP listens on (empty if it does not) before anything is accepted.
    std::function<void(const std::string& http_address)> on_listening;
};

class Server {
public:
    // Listens and starts its threads. A TCP port that is taken is no failure: see http_error().
    static Result<std::unique_ptr<Server>> start(ServerOptions options);
    ~Server();  // stop()

    // The address that TCP listens on ("127.0.0.1:7316"), empty if it does not.
    const std::string& http_address() const;
    const std::string& http_error() const;
    // Accepts nothing more, lets answers under way finish for the grace time, closes. Blocks.
    // Responders may outlive it (as no-ops) until the server is destroyed.
    void stop();

private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Splits "127.0.0.1:7316" or "[::1]:7316" and refuses what is not a loopback address.
struct HttpAddress {
    std::string host;  // without brackets
    std::uint16_t port = 0;
};
Result<HttpAddress> parse_http_address(std::string_view text);

}  // namespace dutybook::api
