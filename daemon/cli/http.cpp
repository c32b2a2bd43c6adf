#include "cli/http.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <unistd.h>
#include <array>
#include <optional>
#include <thread>

namespace dutybook::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Socket = asio::local::stream_protocol::socket;

struct HttpConnection::State {
    asio::io_context context;
    Socket socket{context};
    boost::beast::flat_buffer buffer;
};

HttpConnection::HttpConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpConnection::HttpConnection(HttpConnection&&) noexcept = default;
HttpConnection& HttpConnection::operator=(HttpConnection&&) noexcept = default;
HttpConnection::~HttpConnection() = default;

namespace {

Error lost(const boost::system::error_code& error) {
    const bool closed = error == http::error::end_of_stream || error == asio::error::eof ||
                        error == asio::error::broken_pipe ||
                        error == asio::error::connection_reset ||
                        error == http::error::partial_message;
    return failure(Code::Unavailable, "the daemon went away before it answered",
                   closed ? "" : error.message(),
                   "see its log; what was acknowledged is safe, ask again for the rest");
}

http::request<http::string_body> make(const HttpRequest& request) {
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(request.target);
    message.version(11);
    message.set(http::field::host, "localhost");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    return message;
}

// Cuts what arrives into lines.
class Lines {
public:
    explicit Lines(const HttpConnection::OnLine& on_line) : on_line_(on_line) {}
    void feed(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            rest_.append(bytes.substr(0, end));
            if (end == std::string_view::npos) return;
            finish();
            bytes.remove_prefix(end + 1);
        }
    }
    void finish() {
        if (!rest_.empty()) on_line_(rest_);
        rest_.clear();
    }

private:
    const HttpConnection::OnLine& on_line_;
    std::string rest_;
};

// Sends a chunked body on a second descriptor of the same connection, so that reading and writing
// share no object. Stops quietly when the daemon hangs up: the answer says why.
class Upload {
public:
    Upload(asio::io_context& context, Socket& socket, const HttpConnection::Source& source)
        : socket_(context, asio::local::stream_protocol(), ::dup(socket.native_handle())),
          thread_([this, &source] { run(source); }) {}
    ~Upload() {
        if (thread_.joinable()) thread_.join();
    }
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;
    std::optional<Error> finish() {
        thread_.join();
        return error_;
    }

private:
    void run(const HttpConnection::Source& source) {
        boost::system::error_code ignored;
        for (;;) {
            auto bytes = source();
            if (!bytes) {
                // No closing chunk: the daemon must not take a half-read file for a whole one.
                error_ = bytes.error();
                socket_.shutdown(Socket::shutdown_send, ignored);
                return;
            }
            if (bytes->empty()) break;
            asio::write(socket_, http::make_chunk(asio::buffer(*bytes)), ignored);
            if (ignored) return;
        }
        asio::write(socket_, http::make_chunk_last(), ignored);
    }

    Socket socket_;
    std::optional<Error> error_;
    std::thread thread_;
};

}  // namespace

Result<HttpConnection> HttpConnection::open(const std::string& path) {
    auto state = std::make_unique<State>();
    boost::system::error_code error = asio::error::name_too_long;
    if (path.size() < 108) {  // sun_path; asio throws on a longer one
        state->socket.connect(asio::local::stream_protocol::endpoint(path), error);
    }
    if (error) {
        return failure(Code::Unavailable, "no daemon answers at " + path, error.message(),
                       "start it with `dutybookd --store DIR`, or name its store with --store");
    }
    return HttpConnection(std::move(state));
}

Result<HttpResponse> HttpConnection::call(const HttpRequest& request) {
    auto message = make(request);
    message.body() = request.body;
    message.prepare_payload();
    boost::system::error_code error;
    http::write(state_->socket, message, error);
    // A refusal may come before our body was read; what matters is whether an answer came.
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    boost::system::error_code read_error;
    http::read(state_->socket, state_->buffer, parser, read_error);
    if (read_error) return lost(error ? error : read_error);
    auto& answer = parser.get();
    return HttpResponse{answer.result_int(), std::string(answer[http::field::content_type]),
                        std::move(answer.body())};
}

Result<HttpResponse> HttpConnection::stream(const HttpRequest& request, const Source& source,
                                            const OnLine& on_line) {
    auto message = make(request);
    if (source) {
        message.chunked(true);
    } else {
        message.body() = request.body;
        message.prepare_payload();
    }
    boost::system::error_code error;
    std::optional<Upload> upload;
    if (source) {
        http::request_serializer<http::string_body> serializer(message);
        serializer.split(true);
        http::write_header(state_->socket, serializer, error);
        if (error) return lost(error);
        upload.emplace(state_->context, state_->socket, source);
    } else {
        http::write(state_->socket, message, error);
        if (error) return lost(error);
    }

    // Input that cannot be read ends the request, and then no answer comes.
    const auto no_answer = [&] {
        auto failed = upload ? upload->finish() : std::nullopt;
        return failed ? *failed : lost(error);
    };
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    http::read_header(state_->socket, state_->buffer, parser, error);
    if (error) return no_answer();
    const auto& answer = parser.get();
    HttpResponse response{answer.result_int(), std::string(answer[http::field::content_type]), {}};
    const bool lines = response.content_type.starts_with("application/x-ndjson");
    Lines cut(on_line);
    std::array<char, 64 * 1024> bytes{};
    while (!parser.is_done()) {
        parser.get().body().data = bytes.data();
        parser.get().body().size = bytes.size();
        http::read(state_->socket, state_->buffer, parser, error);
        if (error == http::error::need_buffer) error = {};
        const std::string_view got(bytes.data(), bytes.size() - parser.get().body().size);
        if (lines) {
            cut.feed(got);
        } else {
            response.body.append(got);
        }
        if (error) return no_answer();
    }
    cut.finish();
    if (upload) {
        if (auto failed = upload->finish()) return *failed;
    }
    return response;
}

std::string percent_encode(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                           (byte >= 'A' && byte <= 'Z') || c == '-' || c == '.' || c == '_' ||
                           c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

}  // namespace dutybook::cli
