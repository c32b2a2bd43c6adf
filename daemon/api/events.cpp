#include "api/events.h"

#include "api/problem.h"
#include "base/crypto.h"

#include <charconv>

namespace dutybook::api {

namespace {

constexpr unsigned ticks_between_heartbeats = 30;

bool wants(const EventHub::Filter& filter, const core::Change& change) {
    return (filter.space.empty() || filter.space == change.space) &&
           (filter.types.empty() || filter.types.count(change.type) != 0);
}

}  // namespace

EventHub::EventHub(Sight sight, std::size_t kept, std::size_t backlog_bytes)
    : sight_(std::move(sight)),
      kept_(kept),
      backlog_bytes_(backlog_bytes),
      run_(random_base32(5)) {}

std::string EventHub::text_for(const Subscriber& subscriber, const Event& event) const {
    const auto change =
        sight_ ? sight_(event.change, subscriber.filter.reader) : std::optional(event.change);
    if (!change) return {};
    // The payload is canonical JSON on one line, so that one "data:" holds it.
    Json data = Json::parse(change->text, nullptr, false);
    if (!data.is_object()) data = Json::object();
    data["space"] = change->space;
    data["id"] = change->id;
    return "id: " + run_ + "-" + std::to_string(event.number) + "\nevent: " + change->type +
           "\ndata: " + data.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n\n";
}

bool EventHub::give(Subscriber& subscriber, const std::string& text) const {
    if (subscriber.responder->gone()) return false;
    if (subscriber.responder->queued() + text.size() > backlog_bytes_) {
        subscriber.responder->finish();
        return false;
    }
    subscriber.responder->write(text);
    return true;
}

void EventHub::publish(const core::Change& change) {
    const std::lock_guard lock(mutex_);
    events_.push_back({++last_, change});
    if (events_.size() > kept_) events_.pop_front();
    for (auto it = subscribers_.begin(); it != subscribers_.end();) {
        const std::string text =
            wants(it->filter, change) ? text_for(*it, events_.back()) : std::string();
        it = text.empty() || give(*it, text) ? std::next(it) : subscribers_.erase(it);
    }
}

void EventHub::replay(Subscriber& subscriber, const std::string& last_id) const {
    if (last_id.empty()) return;
    std::uint64_t seen = 0;
    bool known = last_id.rfind(run_ + "-", 0) == 0;
    if (known) {
        const char* begin = last_id.data() + run_.size() + 1;
        const auto [end, ec] = std::from_chars(begin, last_id.data() + last_id.size(), seen);
        known = ec == std::errc{} && *end == '\0' && seen <= last_;
    }
    const std::uint64_t oldest = events_.empty() ? last_ + 1 : events_.front().number;
    if (!known || seen + 1 < oldest) {
        subscriber.responder->write("id: " + run_ + "-" + std::to_string(last_) +
                                    "\nevent: reset\ndata: {}\n\n");
        return;
    }
    for (const Event& event : events_) {
        if (event.number <= seen || !wants(subscriber.filter, event.change)) continue;
        const std::string text = text_for(subscriber, event);
        if (!text.empty()) subscriber.responder->write(text);
    }
}

void EventHub::subscribe(std::shared_ptr<Responder> responder, Filter filter,
                         const std::string& last_id) {
    const std::lock_guard lock(mutex_);
    if (closed_) {
        responder->send(problem(failure(Code::Unavailable, "the daemon is stopping")));
        return;
    }
    // The id tells where the stream begins, also to one who hears nothing for long.
    responder->start({200,
                      "text/event-stream",
                      "retry: 2000\nid: " + run_ + "-" + std::to_string(last_) + "\n\n",
                      {}});
    Subscriber subscriber{std::move(responder), std::move(filter)};
    replay(subscriber, last_id);
    subscribers_.push_back(std::move(subscriber));
}

void EventHub::tick() {
    const std::lock_guard lock(mutex_);
    const bool heartbeat = ++ticks_ % ticks_between_heartbeats == 0;
    for (auto it = subscribers_.begin(); it != subscribers_.end();) {
        const bool allowed = !it->filter.allowed || it->filter.allowed();
        if (!allowed) it->responder->finish();
        const bool stays =
            allowed && (heartbeat ? give(*it, ": alive\n\n") : !it->responder->gone());
        it = stays ? std::next(it) : subscribers_.erase(it);
    }
}

void EventHub::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& subscriber : subscribers_) subscriber.responder->finish();
    subscribers_.clear();
}

}  // namespace dutybook::api
