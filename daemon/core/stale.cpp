#include "core/stale.h"

#include "base/json.h"

namespace dutybook::core {

namespace {

Json value_of(const std::string& text) {
    if (text.empty()) return {};
    Json value = Json::parse(text, nullptr, false);
    return value.is_discarded() ? Json() : value;
}

void add_whole(Json& changes, const char* field, const Json& then, const Json& now) {
    if (then != now) changes.push_back({{"field", field}, {"then", then}, {"now", now}});
}

}  // namespace

Error stale(const Working& record, const std::string& named) {
    const auto& now = record.state();
    Json changes = Json::array();
    const auto then = record.at_version(named);
    if (then) {
        for (const auto& one : domain::difference(*then, now)) {
            changes.push_back(
                {{"field", one.field}, {"then", value_of(one.a)}, {"now", value_of(one.b)}});
        }
        add_whole(changes, "@status", domain::name_of(then->status), domain::name_of(now.status));
        add_whole(changes, "@deleted", then->deleted, now.deleted);
    }
    Error out = failure(Code::Stale, "the record has changed since it was read",
                        then ? "it was version " + named + " and is " + record.version()
                             : "version " + named + " is not one of its latest",
                        "look at what changed and write again");
    out.detail = canonical({{"changes", std::move(changes)}, {"version", record.version()}});
    return out;
}

}  // namespace dutybook::core
