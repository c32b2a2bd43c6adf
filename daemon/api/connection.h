#pragma once
// One client's connection: reads requests one after the other and writes their answers. Internal
// to server.cpp, connection.cpp and exchange.cpp.

#include "api/http_message.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <atomic>
#include <thread>
#include <unordered_set>

namespace dutybook::api {

class Connection;
using Moment = std::chrono::steady_clock::time_point;
using Executor = boost::asio::io_context::executor_type;
using StreamSocket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, Executor>;

// How many connections one sort of caller has, and may have.
struct Quota {
    std::atomic<std::size_t> used = 0;
    std::size_t most = 0;
};

// What all connections of a server share.
struct Shared {
    Handler* handler = nullptr;
    ServerLimits limits;
    std::atomic<std::size_t> gathered = 0;  // bytes of whole bodies in the making
    std::atomic<bool> stopping = false;
};

// One io thread. Connections hold it alive; `connections` is touched on its thread alone.
struct Loop {
    boost::asio::io_context context{1};
    boost::asio::steady_timer timer{context};
    std::unordered_set<Connection*> connections;
    std::thread thread;
};

// A body that is taken out piece by piece; string_body would reserve what Content-Length claims.
struct PieceBody {
    using value_type = std::string;
    struct reader {
        template <bool R, class F>
        reader(boost::beast::http::header<R, F>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>&, boost::beast::error_code& ec) { ec = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::beast::error_code& ec) {
            ec = {};
            std::size_t size = 0;
            for (const auto& piece : boost::beast::buffers_range_ref(buffers)) {
                body_.append(static_cast<const char*>(piece.data()), piece.size());
                size += piece.size();
            }
            return size;
        }
        void finish(boost::beast::error_code& ec) { ec = {}; }

    private:
        value_type& body_;
    };
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    // Counts in `quota` as long as it lives.
    Connection(std::shared_ptr<Shared> shared, std::shared_ptr<Loop> loop, StreamSocket socket,
               Peer peer, std::shared_ptr<Quota> quota);
    ~Connection();

    // All on the loop's thread.
    void begin();
    void refuse_and_close(Response response);
    void sweep(Moment now);  // closes when a deadline has passed
    void wind_down();        // stopping: closes now if idle, else after the answer
    void close();

    // For the exchange under way; a number that is not the current one is ignored.
    void deliver(std::uint64_t exchange, std::string bytes, std::string more, bool last);
    void read_body(std::uint64_t exchange, Responder::OnBody call);
    void set_drained(std::uint64_t exchange, std::function<void()> call);

    std::size_t queued() const { return queued_.load(std::memory_order_relaxed); }
    bool closed() const { return closed_.load(std::memory_order_relaxed); }
    Loop& loop() { return *loop_; }

private:
    using Parser = boost::beast::http::request_parser<PieceBody>;
    enum class Step : std::uint8_t { Idle, Head, Whole, Streamed, Answer, Drain };

    void next_request();
    void read(std::size_t size);
    void on_read(const boost::system::error_code& ec, std::size_t size);
    void parse_head();
    void head_complete();
    void parse_body();
    void give_piece(bool last, bool ok);
    void begin_answer(Request request);
    void bad_request(const boost::system::error_code& ec);
    void answer_and_drain(Response response);
    void flush();
    void on_written(const boost::system::error_code& ec);
    void answered();
    void deadline_in(std::chrono::milliseconds time);
    void release_gathered();

    // Constant after construction.
    std::shared_ptr<Shared> shared_;
    std::shared_ptr<Loop> loop_;
    Peer peer_;
    std::shared_ptr<Quota> quota_;

    // On the loop's thread.
    StreamSocket socket_;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    Step step_ = Step::Idle;
    Request request_;
    std::size_t gathered_ = 0;
    std::uint64_t exchange_ = 0;  // number of the request under way
    Framing framing_;
    Responder::OnBody on_body_;
    std::function<void()> on_drained_;
    std::vector<std::string> output_, writing_;
    bool last_queued_ = false;
    bool close_after_ = false;
    bool reading_ = false;
    std::size_t drained_ = 0;
    Moment deadline_ = Moment::max();  // of what the client has to send
    Moment write_deadline_ = Moment::max();

    // Any thread.
    std::atomic<std::size_t> queued_ = 0;
    std::atomic<bool> closed_ = false;
};

}  // namespace dutybook::api
