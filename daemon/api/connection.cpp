#include "api/connection.h"

#include "api/exchange.h"
#include "api/problem.h"

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

namespace dutybook::api {

namespace http = boost::beast::http;
namespace asio = boost::asio;

namespace {

// What a refused client may still send before it is cut off, so that it gets to read the answer
// (closing with unread bytes resets the connection and may throw the answer away).
constexpr std::size_t drain_bytes = 64u << 20;
constexpr std::chrono::milliseconds drain_time{2'000};
constexpr std::size_t head_read = 4096, body_read = 64 * 1024;

}  // namespace

Connection::Connection(std::shared_ptr<Shared> shared, std::shared_ptr<Loop> loop,
                       StreamSocket socket, Peer peer, std::shared_ptr<Quota> quota)
    : shared_(std::move(shared)),
      loop_(std::move(loop)),
      peer_(std::move(peer)),
      quota_(std::move(quota)),
      socket_(std::move(socket)) {
    quota_->used.fetch_add(1);
}

Connection::~Connection() {
    release_gathered();
    quota_->used.fetch_sub(1);
}

void Connection::begin() {
    loop_->connections.insert(this);
    if (shared_->stopping) {
        close();
    } else {
        next_request();
    }
}

void Connection::refuse_and_close(Response response) {
    loop_->connections.insert(this);
    answer_and_drain(std::move(response));
}

void Connection::deadline_in(std::chrono::milliseconds time) {
    deadline_ = std::chrono::steady_clock::now() + time;
}

void Connection::release_gathered() {
    shared_->gathered.fetch_sub(gathered_);
    gathered_ = 0;
}

void Connection::sweep(Moment now) {
    if (now >= write_deadline_) {
        close();
        return;
    }
    if (now < deadline_) return;
    if (step_ == Step::Head || step_ == Step::Whole) {
        answer_and_drain(refuse(Refusal::RequestTimeout, "the request did not arrive in time", {},
                                "send it again, without a pause"));
        return;
    }
    close();
}

void Connection::wind_down() {
    if (step_ == Step::Idle || step_ == Step::Head || step_ == Step::Drain) {
        close();
    } else {
        close_after_ = true;
    }
}

void Connection::close() {
    if (closed_.exchange(true)) return;
    const auto self = shared_from_this();
    loop_->connections.erase(this);
    if (shared_->stopping && loop_->connections.empty()) loop_->timer.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    release_gathered();
    if (on_body_) give_piece(true, false);
    if (on_drained_) std::exchange(on_drained_, nullptr)();
}

void Connection::next_request() {
    ++exchange_;
    step_ = Step::Idle;
    parser_.emplace();
    parser_->eager(false);
    parser_->header_limit(static_cast<std::uint32_t>(shared_->limits.header_bytes));
    parser_->body_limit(boost::none);
    framing_ = {};
    last_queued_ = false;
    if (buffer_.size() > 0) {
        parse_head();
        return;
    }
    // Who has not sent anything yet gets no more time than for a header.
    deadline_in(exchange_ == 1 ? shared_->limits.header : shared_->limits.idle);
    read(head_read);
}

void Connection::read(std::size_t size) {
    if (reading_ || closed()) return;
    reading_ = true;
    socket_.async_read_some(
        buffer_.prepare(size),
        [self = shared_from_this()](const boost::system::error_code& ec, std::size_t count) {
            self->reading_ = false;
            self->on_read(ec, count);
        });
}

void Connection::on_read(const boost::system::error_code& ec, std::size_t size) {
    if (closed()) return;
    if (ec) {
        close();
        return;
    }
    buffer_.commit(size);
    switch (step_) {
        case Step::Idle:
        case Step::Head:
            parse_head();
            break;
        case Step::Whole:
        case Step::Streamed:
            parse_body();
            break;
        case Step::Drain:
            drained_ += size;
            buffer_.consume(buffer_.size());
            if (drained_ > drain_bytes) {
                close();
            } else {
                read(body_read);
            }
            break;
        case Step::Answer:
            break;
    }
}

void Connection::parse_head() {
    if (step_ == Step::Idle) {
        step_ = Step::Head;
        deadline_in(shared_->limits.header);
    }
    boost::system::error_code ec;
    const std::size_t used = parser_->put(buffer_.data(), ec);
    const bool fold = folded({static_cast<const char*>(buffer_.data().data()), used});
    buffer_.consume(used);
    if (fold) {
        framing_.keep_alive = false;
        answer_and_drain(problem(failure(Code::Malformed, "a header goes on in a second line", {},
                                         "write each header on one line")));
    } else if (ec && ec != http::error::need_more) {
        bad_request(ec);
    } else if (parser_->is_header_done()) {
        head_complete();
    } else {
        read(head_read);
    }
}

void Connection::bad_request(const boost::system::error_code& ec) {
    framing_.keep_alive = false;
    if (ec == http::error::header_limit) {
        answer_and_drain(
            refuse(Refusal::HeadersTooLarge, "the request's headers are too large",
                   "at most " + std::to_string(shared_->limits.header_bytes) + " bytes are read",
                   "send fewer or shorter ones"));
        return;
    }
    answer_and_drain(problem(failure(Code::Malformed, "this is not HTTP/1.1", ec.message(),
                                     "use an HTTP client, or the dutybook command")));
}

void Connection::head_complete() {
    const auto& message = parser_->get();
    framing_.keep_alive = parser_->keep_alive() && !close_after_;
    framing_.chunked = message.version() >= 11;
    if (!framing_.chunked) framing_.keep_alive = false;
    request_ = Request{};
    request_.method = method_of(message.method());
    request_.target.assign(message.target().data(), message.target().size());
    request_.peer = peer_;
    request_.has_body = !parser_->is_done();
    if (!copy_headers(message, request_)) {
        answer_and_drain(
            problem(failure(Code::Malformed, "a header is given twice", {}, "send it once")));
        return;
    }
    if (const auto doubt = doubtful_framing(message)) {
        answer_and_drain(problem(*doubt));
        return;
    }
    if (const auto coding = coded(message)) {
        answer_and_drain(refuse(Refusal::MediaType, "the body is coded",
                                "its Content-Encoding is " + *coding,
                                "send it as it is, without a Content-Encoding"));
        return;
    }
    if (shared_->stopping) {
        answer_and_drain(problem(failure(Code::Unavailable, "the daemon is stopping", {},
                                         "ask again when it has started")));
        return;
    }
    Admission admission = shared_->handler->admit(request_);
    if (admission.refusal) {
        if (request_.has_body) {
            answer_and_drain(std::move(*admission.refusal));
        } else {
            step_ = Step::Answer;
            Exchange(shared_from_this(), exchange_, framing_).send(std::move(*admission.refusal));
        }
        return;
    }
    if (!request_.has_body) {
        begin_answer(std::move(request_));
        return;
    }
    const auto length = parser_->content_length();
    if (!admission.stream_body && length && *length > shared_->limits.body_bytes) {
        answer_and_drain(problem(failure(Code::TooLarge, "the body is too large",
                                         "at most 1 MiB is read", "send a batch as NDJSON")));
        return;
    }
    parser_->eager(true);
    if (same_name(std::string_view(message[http::field::expect].data(),
                                   message[http::field::expect].size()),
                  "100-continue")) {
        deliver(exchange_, "HTTP/1.1 100 Continue\r\n\r\n", {}, false);
    }
    deadline_in(shared_->limits.body);
    if (admission.stream_body) {
        step_ = Step::Streamed;
        request_.streamed = true;
        begin_answer(std::move(request_));
        return;
    }
    step_ = Step::Whole;
    parse_body();
}

void Connection::parse_body() {
    boost::system::error_code ec;
    while (buffer_.size() > 0 && !parser_->is_done()) {
        const std::size_t used = parser_->put(buffer_.data(), ec);
        buffer_.consume(used);
        if (ec == http::error::need_more || (!ec && used == 0)) {
            ec = {};
            break;
        }
        if (ec) break;
    }
    // What the parser leaves lying is the head of a chunk, or the trailers, without an end.
    if (!ec && !parser_->is_done() && buffer_.size() > shared_->limits.header_bytes)
        ec = http::error::header_limit;
    if (ec) {
        if (step_ == Step::Whole) {
            bad_request(ec);
        } else {
            framing_.keep_alive = false;
            close_after_ = true;
            give_piece(true, false);
        }
        return;
    }
    std::string piece = std::exchange(parser_->get().body(), {});
    if (step_ == Step::Streamed) {
        if (piece.empty() && !parser_->is_done()) {
            read(body_read);
            return;
        }
        parser_->get().body() = std::move(piece);
        give_piece(parser_->is_done(), true);
        return;
    }
    gathered_ += piece.size();
    const std::size_t all = shared_->gathered.fetch_add(piece.size()) + piece.size();
    request_.body += piece;
    if (request_.body.size() > shared_->limits.body_bytes) {
        answer_and_drain(problem(failure(Code::TooLarge, "the body is too large",
                                         "at most 1 MiB is read", "send a batch as NDJSON")));
    } else if (all > shared_->limits.all_bodies_bytes) {
        answer_and_drain(problem(failure(Code::Unavailable, "too much is being sent at once", {},
                                         "try again in a moment")));
    } else if (parser_->is_done()) {
        begin_answer(std::move(request_));
    } else {
        read(body_read);
    }
}

void Connection::give_piece(bool last, bool ok) {
    if (!on_body_) return;
    if (last && step_ == Step::Streamed) step_ = Step::Answer;
    deadline_ = Moment::max();
    auto call = std::exchange(on_body_, nullptr);
    call(parser_ ? std::exchange(parser_->get().body(), {}) : std::string(), last, ok);
}

void Connection::read_body(std::uint64_t exchange, Responder::OnBody call) {
    if (closed() || exchange != exchange_) {
        call({}, true, false);
        return;
    }
    if (step_ != Step::Streamed) {  // there is none, or it was read to its end
        call({}, true, true);
        return;
    }
    on_body_ = std::move(call);
    deadline_in(shared_->limits.body);
    if (parser_->is_done()) {
        give_piece(true, true);
    } else {
        parse_body();
    }
}

void Connection::begin_answer(Request request) {
    const bool coming = step_ == Step::Streamed;
    if (!coming) step_ = Step::Answer;
    deadline_ = Moment::max();
    release_gathered();
    auto exchange = std::make_shared<Exchange>(shared_from_this(), exchange_, framing_, coming);
    shared_->handler->handle(std::move(request), std::move(exchange));
}

void Connection::answer_and_drain(Response response) {
    framing_.keep_alive = false;
    close_after_ = true;
    step_ = Step::Drain;
    on_body_ = nullptr;
    release_gathered();
    const std::string head = head_of(response, framing_, response.body.size());
    deliver(exchange_, head + response.body, {}, true);
}

void Connection::set_drained(std::uint64_t exchange, std::function<void()> call) {
    if (exchange == exchange_ && !closed()) {
        on_drained_ = std::move(call);
    }
}

void Connection::deliver(std::uint64_t exchange, std::string bytes, std::string more, bool last) {
    if (closed() || exchange != exchange_ || last_queued_) return;
    queued_ += bytes.size() + more.size();
    if (!bytes.empty()) output_.push_back(std::move(bytes));
    if (!more.empty()) output_.push_back(std::move(more));
    last_queued_ = last;
    if (writing_.empty()) flush();
}

void Connection::flush() {
    if (output_.empty()) {
        if (last_queued_) answered();
        return;
    }
    writing_.swap(output_);
    write_deadline_ = std::chrono::steady_clock::now() + shared_->limits.stalled;
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(writing_.size());
    for (const auto& piece : writing_) buffers.emplace_back(asio::buffer(piece));
    asio::async_write(socket_, buffers,
                      [self = shared_from_this()](const boost::system::error_code& ec,
                                                  std::size_t) { self->on_written(ec); });
}

void Connection::on_written(const boost::system::error_code& ec) {
    for (const auto& piece : writing_) queued_ -= piece.size();
    writing_.clear();
    if (closed()) return;
    if (ec) {
        close();
        return;
    }
    write_deadline_ = Moment::max();
    if (output_.empty() && on_drained_ && !last_queued_) on_drained_();
    if (writing_.empty()) flush();
}

void Connection::answered() {
    on_drained_ = nullptr;
    const bool unread = step_ == Step::Streamed || step_ == Step::Drain;
    if (!unread && framing_.keep_alive && !close_after_) {
        next_request();
        return;
    }
    if (!unread) {
        close();
        return;
    }
    step_ = Step::Drain;
    on_body_ = nullptr;
    boost::system::error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    deadline_in(drain_time);
    if (!reading_) buffer_.consume(buffer_.size());
    read(body_read);
}

}  // namespace dutybook::api
