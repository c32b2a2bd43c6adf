#include "api/exchange.h"

#include "api/problem.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <charconv>

namespace dutybook::api {

namespace {

std::string in_chunk(std::string bytes, bool chunked) {
    if (!chunked || bytes.empty()) return bytes;
    char size[20];
    auto [end, ec] = std::to_chars(size, size + sizeof size, bytes.size(), 16);
    std::string out;
    out.reserve(bytes.size() + 24);
    out.append(size, end).append("\r\n").append(bytes).append("\r\n");
    return out;
}

}  // namespace

Exchange::~Exchange() {
    const Stage stage = stage_.load();
    if (stage == Stage::Open) {
        send(problem(failure(Code::Internal, "the request was dropped without an answer",
                             "its task ended early", "try again; if it recurs, see the log")));
    } else if (stage == Stage::Started) {
        finish();
    }
}

void Exchange::deliver(std::string bytes, std::string more, bool last) {
    if (connection_->closed()) return;
    const std::size_t size = bytes.size() + more.size();
    handed_over_->fetch_add(size);
    boost::asio::dispatch(connection_->loop().context,
                          [connection = connection_, number = number_, count = handed_over_, size,
                           bytes = std::move(bytes), more = std::move(more), last]() mutable {
                              connection->deliver(number, std::move(bytes), std::move(more), last);
                              count->fetch_sub(size);
                          });
}

void Exchange::send(Response response) {
    Stage open = Stage::Open;
    if (!stage_.compare_exchange_strong(open, Stage::Done)) return;
    // The rest of a body that nobody reads ends the connection, and the client is to know.
    Framing framing = framing_;
    if (coming_) framing.keep_alive = false;
    std::string head = head_of(response, framing, response.body.size());
    // A small body travels in the head's buffer: one write, one allocation less.
    if (response.body.size() <= 8192) {
        head += response.body;
        response.body.clear();
    }
    deliver(std::move(head), std::move(response.body), true);
}

void Exchange::start(Response head) {
    Stage open = Stage::Open;
    if (!stage_.compare_exchange_strong(open, Stage::Started)) return;
    deliver(head_of(head, framing_, std::nullopt), in_chunk(std::move(head.body), framing_.chunked),
            false);
}

void Exchange::write(std::string bytes) {
    if (stage_.load() != Stage::Started || bytes.empty()) return;
    deliver(in_chunk(std::move(bytes), framing_.chunked), {}, false);
}

void Exchange::finish() {
    Stage started = Stage::Started;
    if (!stage_.compare_exchange_strong(started, Stage::Done)) return;
    deliver(framing_.chunked ? "0\r\n\r\n" : "", {}, true);
}

void Exchange::on_drained(std::function<void()> call) {
    boost::asio::dispatch(connection_->loop().context, [connection = connection_, number = number_,
                                                        call = std::move(call)]() mutable {
        connection->set_drained(number, std::move(call));
    });
}

void Exchange::read_body(OnBody call) {
    // Posted, not dispatched: a reader that asks again from its callback must not recurse.
    boost::asio::post(connection_->loop().context, [connection = connection_, number = number_,
                                                    call = std::move(call)]() mutable {
        connection->read_body(number, std::move(call));
    });
}

void Exchange::post(std::function<void()> task) {
    boost::asio::post(connection_->loop().context, std::move(task));
}

}  // namespace dutybook::api
