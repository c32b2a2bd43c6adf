#include "api/reference.h"

#include "api/reader.h"

namespace dutybook::api {

namespace {

constexpr std::size_t most_candidates = 10;

Error ambiguous(const std::string& text, const std::vector<store::StoredRecord>& matching) {
    Error error = failure(Code::Ambiguous, "'" + text + "' matches several records", {},
                          "name one of them by its id");
    Json candidates = Json::array();
    for (const auto& record : matching) {
        candidates.push_back({{"id", record.state.id},
                              {"kind", record.state.kind},
                              {"title", title_of(record.state)}});
    }
    error.detail = Json({{"candidates", std::move(candidates)}}).dump();
    return error;
}

Result<store::StoredRecord> only_one(const std::string& text,
                                     std::vector<store::StoredRecord> matching) {
    if (matching.size() == 1) return std::move(matching.front());
    if (!matching.empty()) return ambiguous(text, matching);
    return failure(Code::NotFound, "there is no record '" + text + "'", {},
                   "search for it: dutybook search WORDS");
}

Result<store::StoredRecord> by_words(store::IndexReader& reader, const std::string& text) {
    store::Query query;
    query.text = text.substr(1);
    query.limit = most_candidates;
    TRY_ASSIGN(store::Page page, reader.list(query));
    return only_one(text, std::move(page.records));
}

Result<store::StoredRecord> by_prefix(store::IndexReader& reader, const std::string& text) {
    TRY_ASSIGN(const auto ids, reader.by_prefix(text, most_candidates));
    std::vector<store::StoredRecord> matching;
    for (const auto& id : ids) {
        TRY_ASSIGN(auto record, reader.get(id));
        if (record) matching.push_back(std::move(*record));
    }
    return only_one(text, std::move(matching));
}

Result<Found> find_in(core::SpaceService& space, const std::string& text) {
    if (text.starts_with('@')) {
        TRY_ASSIGN(auto record, by_words(space.reader(), text));
        return Found{&space, std::move(record)};
    }
    TRY_ASSIGN(auto exact, space.reader().get(text));
    if (exact) return Found{&space, std::move(*exact)};
    TRY_ASSIGN(auto record, by_prefix(space.reader(), text));
    return Found{&space, std::move(record)};
}

}  // namespace

std::string title_of(const domain::RecordState& state) {
    for (const char* field : {"title", "name", "subject", "summary", "description", "text"}) {
        const auto found = state.fields.find(field);
        if (found == state.fields.end()) continue;
        const Json value = Json::parse(found->second, nullptr, false);
        if (value.is_string()) return value.get<std::string>();
    }
    return {};
}

Result<Found> find_record(core::Book& book, core::SpaceService& space, const std::string& text) {
    if (text.empty()) return malformed("the reference is empty");
    const std::size_t slash = text.front() == '@' ? std::string::npos : text.find('/');
    if (slash != std::string::npos) {
        core::SpaceService* const in = book.space(text.substr(0, slash));
        if (!in) {
            return failure(Code::NotFound, "the space '" + text.substr(0, slash) + "' is not here",
                           {}, "see: dutybook space list");
        }
        return find_in(*in, text.substr(slash + 1));
    }
    // In the space, then in its parent: whom a school does not know its district may.
    auto found = find_in(space, text);
    core::SpaceService* const parent = book.space(space.facts().parent);
    if (found || found.error().code != Code::NotFound || !parent) return found;
    auto above = find_in(*parent, text);
    return !above && above.error().code == Code::NotFound ? found : above;
}

Result<Found> find_record(const Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(Found found, find_record(*call.services.book, *space, call.argument(1)));
    Walls walls(*call.services.book, *found.space, call.caller().by);
    TRY_ASSIGN(const bool hidden, walls.hides(found.record.state));
    if (hidden) {
        return failure(Code::NotFound, "there is no record '" + call.argument(1) + "'", {},
                       "search for it: dutybook search WORDS");
    }
    return found;
}

}  // namespace dutybook::api
