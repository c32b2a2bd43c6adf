#pragma once
// The responder of one request on one connection. Answers are put together on the thread that
// gives them and handed to the connection's thread.

#include "api/connection.h"

namespace dutybook::api {

class Exchange final : public Responder {
public:
    // `coming`: the body is read while it is answered.
    Exchange(std::shared_ptr<Connection> connection, std::uint64_t number, Framing framing,
             bool coming = false)
        : connection_(std::move(connection)), number_(number), framing_(framing), coming_(coming) {}
    ~Exchange() override;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    void send(Response response) override;
    void start(Response head) override;
    void write(std::string bytes) override;
    void finish() override;
    std::size_t queued() const override { return connection_->queued() + handed_over_->load(); }
    bool gone() const override { return connection_->closed(); }
    void on_drained(std::function<void()> call) override;
    void read_body(OnBody call) override;
    void post(std::function<void()> task) override;

private:
    void deliver(std::string bytes, std::string more, bool last);

    enum class Stage : std::uint8_t { Open, Started, Done };
    const std::shared_ptr<Connection> connection_;
    const std::uint64_t number_;
    const Framing framing_;
    const bool coming_;
    std::atomic<Stage> stage_ = Stage::Open;
    // Bytes on their way to the connection's thread.
    std::shared_ptr<std::atomic<std::size_t>> handed_over_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace dutybook::api
