// Load over the daemon's socket: bench_load SOCKET CLIENTS SECONDS REQUESTS
//
// REQUESTS is a file of lines `METHOD TARGET<tab>BODY`; each is sent once, on whichever of the
// CLIENTS keep-alive connections is free first, until the file or the time ends. One thread and
// epoll: 64 threads of a generator would take the processor from the daemon that they measure.
// Prints one JSON object; a request counts as failed if its status is not 2xx.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_load: %s\n", why.c_str());
    std::exit(1);
}

std::vector<std::string> read_requests(const char* path) {
    std::ifstream file(path);
    std::vector<std::string> requests;
    for (std::string line; std::getline(file, line);) {
        const auto tab = line.find('\t');
        const std::string body = tab == std::string::npos ? "" : line.substr(tab + 1);
        std::string request = line.substr(0, tab) +
                              " HTTP/1.1\r\nHost: localhost\r\nX-Dutybook-By: bench\r\n"
                              "Content-Length: " +
                              std::to_string(body.size()) + "\r\n";
        if (!body.empty()) request += "Content-Type: application/json\r\n";
        requests.push_back(request + "\r\n" + body);
    }
    if (requests.empty()) give_up(std::string("no requests in ") + path);
    return requests;
}

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) give_up("the socket's path is too long");
    path.copy(address.sun_path, path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        give_up("cannot connect to " + path + ": " + std::strerror(errno));
    return fd;
}

struct Client {
    int fd = -1;
    double sent = 0;
    std::string answer;
};

// Bytes of a whole answer at the beginning of `text`, 0 while it is not whole.
std::size_t whole_answer(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    std::string head(text.substr(0, end));
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto at = head.find("content-length:");
    if (at == std::string::npos) give_up("an answer without a length:\n" + head);
    const std::size_t size = end + 4 + std::strtoul(head.c_str() + at + 15, nullptr, 10);
    return text.size() >= size ? size : 0;
}

class Load {
public:
    Load(const std::string& path, std::size_t clients, std::vector<std::string> requests)
        : requests_(std::move(requests)), clients_(clients), poll_(epoll_create1(EPOLL_CLOEXEC)) {
        for (Client& client : clients_) {
            client.fd = connect_to(path);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.ptr = &client;
            epoll_ctl(poll_, EPOLL_CTL_ADD, client.fd, &event);
        }
    }

    void run(double most) {
        const double begin = seconds();
        end_ = begin + most;
        for (Client& client : clients_) send_next(client);
        while (open_ > 0) {
            epoll_event events[64];
            const int ready = epoll_wait(poll_, events, 64, 60'000);
            if (ready <= 0) give_up("no answer within 60 s");
            for (int i = 0; i < ready; ++i) receive(*static_cast<Client*>(events[i].data.ptr));
        }
        report(seconds() - begin);
    }

private:
    void send_next(Client& client) {
        if (next_ == requests_.size() || seconds() >= end_) return;
        const std::string& request = requests_[next_++];
        client.sent = seconds();
        ++open_;
        // Requests are far smaller than a socket's buffer, so a blocking send does not block.
        if (send(client.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size()))
            give_up("the daemon closed a connection");
    }

    void receive(Client& client) {
        char buffer[65536];
        const auto size = recv(client.fd, buffer, sizeof buffer, 0);
        if (size <= 0) give_up("the daemon closed a connection");
        client.answer.append(buffer, static_cast<std::size_t>(size));
        if (whole_answer(client.answer) == 0) return;
        times_.push_back((seconds() - client.sent) * 1000);
        if (client.answer.compare(9, 1, "2") != 0 && failed_++ == 0)
            std::fprintf(stderr, "bench_load: %s\n", client.answer.substr(0, 600).c_str());
        client.answer.clear();
        --open_;
        send_next(client);
    }

    void report(double took) {
        std::sort(times_.begin(), times_.end());
        const std::size_t n = times_.size();
        std::printf(
            "{\"requests\": %zu, \"failed\": %zu, \"seconds\": %.4f, \"p50_ms\": %.4f, "
            "\"p99_ms\": %.4f}\n",
            n, failed_, took, times_[n / 2], times_[n * 99 / 100]);
    }

    const std::vector<std::string> requests_;
    std::vector<Client> clients_;
    const int poll_;
    std::size_t next_ = 0, open_ = 0, failed_ = 0;
    double end_ = 0;
    std::vector<double> times_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) give_up("usage: bench_load SOCKET CLIENTS SECONDS REQUESTS");
    Load(argv[1], std::stoul(argv[2]), read_requests(argv[4])).run(std::stod(argv[3]));
}
