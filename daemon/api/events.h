#pragma once
// Server-sent events: what changed, told to whoever listens.
//
// Each event has an id "<run>-<number>"; `run` is new at each start of the daemon. The last events
// are kept, so that a client which comes back with Last-Event-ID misses none; where that is too
// long ago, or was another run, it gets one event `reset`: read anew what you show. A client that
// does not take its events is given up when its backlog is full; it comes back and gets `reset` or
// the events it missed. So memory is bounded by clients times backlog.

#include "api/http.h"
#include "api/privacy.h"
#include "core/space_service.h"

#include <deque>
#include <list>
#include <mutex>
#include <set>

namespace dutybook::api {

class EventHub {
public:
    // What a reader is told of a change; nothing where it is not for them. On any thread.
    using Sight = std::function<std::optional<core::Change>(const core::Change& change,
                                                            const Reader& reader)>;
    explicit EventHub(Sight sight = {}, std::size_t kept = 1000,
                      std::size_t backlog_bytes = 256 * 1024);

    void publish(const core::Change& change);  // any thread

    struct Filter {
        std::string space;            // empty = all
        std::set<std::string> types;  // empty = all
        Reader reader{};
        std::function<bool()> allowed{};  // asked at each tick; the stream ends when it says no
    };
    // Starts the stream. `last_id` as the client sent it, empty = from now on.
    void subscribe(std::shared_ptr<Responder> responder, Filter filter, const std::string& last_id);
    void tick();   // each half second; a heartbeat to each client every 15 s
    void close();  // ends all streams; later subscribers are refused

private:
    struct Event {
        std::uint64_t number = 0;
        core::Change change;
    };
    struct Subscriber {
        std::shared_ptr<Responder> responder;
        Filter filter;
    };
    bool give(Subscriber& subscriber, const std::string& text) const;
    // For a subscriber who wants it; empty where it is not for them.
    std::string text_for(const Subscriber& subscriber, const Event& event) const;
    void replay(Subscriber& subscriber, const std::string& last_id) const;

    const Sight sight_;
    const std::size_t kept_, backlog_bytes_;
    const std::string run_;
    mutable std::mutex mutex_;
    // By mutex_:
    std::uint64_t last_ = 0;
    std::deque<Event> events_;
    std::list<Subscriber> subscribers_;
    unsigned ticks_ = 0;
    bool closed_ = false;
};

}  // namespace dutybook::api
