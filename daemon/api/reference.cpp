#include "api/reference.h"

#include "api/walls.h"

namespace dutybook::api {

namespace {

constexpr std::size_t most_candidates = 10, most_looked_at = 1000;

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

// Of the records that the reader may see.
class Search {
public:
    Search(const Services& services, core::SpaceService& space, const Reader& reader)
        : space_(space), walls_(services, space, reader) {}

    Result<Found> find(const std::string& text) {
        if (text.starts_with('@')) {
            TRY(by_words(text.substr(1)));
        } else {
            TRY_ASSIGN(auto exact, space_.reader().get(text));
            if (exact) {
                TRY(take(std::move(*exact)));
            } else {
                TRY(by_prefix(text));
            }
        }
        TRY_ASSIGN(auto record, only_one(text, std::move(matching_)));
        return Found{&space_, std::move(record)};
    }

private:
    bool enough() const { return matching_.size() == most_candidates; }

    Result<void> take(store::StoredRecord record) {
        TRY_ASSIGN(const bool hidden, walls_.hides(record.state));
        if (!hidden) matching_.push_back(std::move(record));
        return {};
    }

    Result<void> by_words(const std::string& words) {
        store::Query query;
        query.text = words;
        query.limit = most_candidates;
        do {
            TRY_ASSIGN(store::Page page, space_.reader().list(query));
            for (auto& record : page.records) {
                if (!enough()) TRY(take(std::move(record)));
            }
            query.after = page.next;
        } while (!enough() && !query.after.empty());
        return {};
    }

    Result<void> by_prefix(const std::string& text) {
        TRY_ASSIGN(const auto ids, space_.reader().by_prefix(text, most_looked_at));
        for (const auto& id : ids) {
            if (enough()) break;
            TRY_ASSIGN(auto record, space_.reader().get(id));
            if (record) TRY(take(std::move(*record)));
        }
        return {};
    }

    core::SpaceService& space_;
    Walls walls_;
    std::vector<store::StoredRecord> matching_;
};

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

Result<Found> find_record(const Call& call) {
    return find_record(call, call.argument(1));
}

Result<Found> find_record(const Call& call, const std::string& text) {
    core::Book& book = *call.services.book;
    TRY_ASSIGN(core::SpaceService * space, call.space());
    const Reader reader = reader_of(call);
    if (text.empty()) return malformed("the reference is empty");
    const std::size_t slash = text.front() == '@' ? std::string::npos : text.find('/');
    if (slash != std::string::npos) {
        core::SpaceService* const in = book.space(text.substr(0, slash));
        if (!in) {
            return failure(Code::NotFound, "the space '" + text.substr(0, slash) + "' is not here",
                           {}, "see: dutybook space list");
        }
        return Search(call.services, *in, reader).find(text.substr(slash + 1));
    }
    // In the space, then in its parent: whom a school does not know its district may.
    auto found = Search(call.services, *space, reader).find(text);
    core::SpaceService* const parent = book.space(space->facts().parent);
    if (found || found.error().code != Code::NotFound || !parent) return found;
    auto above = Search(call.services, *parent, reader).find(text);
    return !above && above.error().code == Code::NotFound ? found : above;
}

Result<Found> find_record_of(const Call& call, const std::string& text,
                             const std::set<std::string>& kinds) {
    auto found = find_record(call, text);
    if (found || found.error().code != Code::Ambiguous) return found;
    const Json detail = Json::parse(found.error().detail, nullptr, false);
    std::vector<std::string> meant;
    for (const Json& one : detail.value("candidates", Json::array())) {
        if (kinds.count(one.value("kind", "")) != 0) meant.push_back(one.value("id", ""));
    }
    return meant.size() == 1 ? find_record(call, meant.front()) : found;
}

}  // namespace dutybook::api
