#include "api/events.h"
#include "base/crypto.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::api;

namespace {

class FakeClient final : public Responder {
public:
    void send(Response response) override { status = response.status; }
    void start(Response head) override {
        status = head.status;
        text = head.body;
    }
    void write(std::string bytes) override { text += bytes; }
    void finish() override { finished = true; }
    std::size_t queued() const override { return waiting; }
    bool gone() const override { return went; }
    void on_drained(std::function<void()>) override {}
    void read_body(OnBody) override {}
    void post(std::function<void()> task) override { task(); }

    unsigned status = 0;
    std::string text;
    bool finished = false, went = false;
    std::size_t waiting = 0;
};

core::Change change(const std::string& id, const std::string& type = "record") {
    return {"north", type, id, R"({"kind":"core.duty"})"};
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

// The id of the last event in a stream.
std::string last_id(const std::string& text) {
    const std::size_t at = text.rfind("id: ") + 4;
    return text.substr(at, text.find('\n', at) - at);
}

std::shared_ptr<FakeClient> listen(EventHub& hub, const std::string& last = {},
                                   EventHub::Filter filter = {}) {
    auto client = std::make_shared<FakeClient>();
    hub.subscribe(client, std::move(filter), last);
    return client;
}

}  // namespace

TEST_CASE("a listener is told what it asked for, one event one message") {
    EventHub hub;
    const auto all = listen(hub);
    const auto alarms = listen(hub, {}, {"north", {"alarm"}, {}});
    const auto elsewhere = listen(hub, {}, {"south", {}, {}});
    hub.publish(change("d1"));
    hub.publish(change("a1", "alarm"));
    CHECK(count(all->text, "event: record\n") == 1);
    CHECK(count(all->text,
                "data: {\"id\":\"d1\",\"kind\":\"core.duty\",\"space\":\"north\"}\n\n") == 1);
    CHECK(count(all->text, "event: alarm\n") == 1);
    CHECK(count(alarms->text, "event: ") == 1);
    CHECK(count(elsewhere->text, "event: ") == 0);
}

TEST_CASE("each listener is told what they may see, at once and later") {
    EventHub hub([](const core::Change& change, const Reader& reader) {
        std::optional<core::Change> seen = change;
        if (reader.person != "inside" && change.id == "m1") seen.reset();
        if (reader.person != "inside" && seen) seen->text = R"({"kind":"core.duty","masked":true})";
        return seen;
    });
    const auto inside = listen(hub, {}, {"", {}, {"inside"}});
    const auto outside = listen(hub, {}, {"", {}, "outside"});
    const std::string begin = last_id(outside->text);
    hub.publish(change("m1"));
    hub.publish(change("d1"));
    CHECK(count(inside->text, "event: ") == 2);
    CHECK(count(inside->text, "masked") == 0);
    const auto back = listen(hub, begin, {"", {}, "outside"});
    for (const auto& client : {outside, back}) {
        CHECK(count(client->text, "\"m1\"") == 0);
        CHECK(count(client->text, "event: ") == 1);
        CHECK(count(client->text, "masked") == 1);
    }
}

TEST_CASE("one that comes back misses nothing that is still kept") {
    EventHub hub({}, 10);
    const auto first = listen(hub);
    hub.publish(change("d1"));
    const std::string seen = last_id(first->text);
    hub.publish(change("d2"));
    hub.publish(change("d3"));
    const auto back = listen(hub, seen);
    CHECK(count(back->text, "\"d1\"") == 0);
    CHECK(count(back->text, "\"d2\"") == 1);
    CHECK(count(back->text, "\"d3\"") == 1);
    CHECK(count(back->text, "event: reset") == 0);
}

TEST_CASE("one that was away too long, or since another run, is told to read anew") {
    EventHub hub({}, 3);
    const auto first = listen(hub);
    const std::string seen = last_id(first->text);
    for (int i = 0; i < 5; ++i) hub.publish(change("d" + std::to_string(i)));
    CHECK(count(listen(hub, seen)->text, "event: reset") == 1);
    for (const std::string& strange :
         {std::string("other-1"), std::string("x"), seen + "9999", seen + "x", std::string("-")}) {
        CAPTURE(strange);
        CHECK(count(listen(hub, strange)->text, "event: reset") == 1);
    }
}

TEST_CASE("one that does not read is given up, the others go on") {
    EventHub hub({}, 10, 1000);
    const auto slow = listen(hub), quick = listen(hub);
    slow->waiting = 1000;
    hub.publish(change("d1"));
    CHECK(slow->finished);
    CHECK_FALSE(quick->finished);
    hub.publish(change("d2"));
    CHECK(count(slow->text, "\"d2\"") == 0);
    CHECK(count(quick->text, "\"d2\"") == 1);
}

TEST_CASE("silence is broken by heartbeats, and closing ends every stream") {
    EventHub hub;
    const auto client = listen(hub);
    for (int i = 0; i < 30; ++i) hub.tick();
    CHECK(count(client->text, ": alive\n\n") == 1);
    hub.close();
    CHECK(client->finished);
    CHECK(listen(hub)->status == 503);
}
