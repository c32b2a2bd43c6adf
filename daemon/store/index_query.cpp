// Lists and searches. A list merges one ordered source a kind: the rows of an indexed field's
// value, or all of the kind; whatever the source does not decide is judged record by record. Order:
// effective instant, newest first, then rec (newest first); a cursor names that place, so a page
// never repeats or skips a record that has not moved. Search results are ordered by rec alone:
// by effective instant every match of a frequent word would have to be read before the first.

#include "store/index_reader.h"
#include "store/index_search.h"
#include "store/index_values.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace dutybook::store {
namespace {

constexpr Millis day = 24LL * 3600 * 1000;
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min() / 4;
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max() / 4;

struct Place {
    std::int64_t key = greatest;
    std::int64_t rec = std::numeric_limits<std::int64_t>::max();
    auto operator<=>(const Place&) const = default;
};

std::string cursor(char sort, const Place& place) {
    return sort + std::to_string(place.key) + "." + std::to_string(place.rec);
}

Result<Place> parse_cursor(char sort, const std::string& text) {
    Place place;
    if (text.empty()) return place;
    const char* end = text.data() + text.size();
    if (text.front() == sort) {
        const auto key = std::from_chars(text.data() + 1, end, place.key);
        if (key.ec == std::errc() && key.ptr != end && *key.ptr == '.') {
            const auto rec = std::from_chars(key.ptr + 1, end, place.rec);
            if (rec.ec == std::errc() && rec.ptr == end) return place;
        }
    }
    return malformed("\"" + text + "\" is not a cursor of this list", "/after");
}

// Half-open ranges, one for instants and one for calendar dates, each made from the other where a
// query gives only one of them.
struct Range {
    Millis since_instant = smallest, until_instant = greatest;
    Millis since_date = smallest, until_date = greatest;

    static Result<Range> of(const Query& query) {
        Range range;
        TRY(bounds(query.since, query.since_date, range.since_instant, range.since_date));
        TRY(bounds(query.until, query.until_date, range.until_instant, range.until_date));
        return range;
    }
    bool contains(std::int64_t key) const {
        const Millis at = millis_of_key(key);
        return is_date_key(key) ? at >= since_date && at < until_date
                                : at >= since_instant && at < until_instant;
    }
    std::int64_t lowest_key() const { return std::min(since_instant, since_date) * 2; }
    std::int64_t behind_last_key() const { return std::max(until_instant, until_date) * 2; }

private:
    static Result<void> bounds(const std::optional<Millis>& instant,
                               const std::optional<std::string>& date, Millis& instant_bound,
                               Millis& date_bound) {
        if (instant) {
            instant_bound = *instant;
            date_bound = *instant - ((*instant % day) + day) % day;
        }
        if (!date) return {};
        const auto midnight = millis_of_date(*date);
        if (!midnight) return malformed("\"" + *date + "\" is not a date");
        date_bound = *midnight;
        if (!instant) instant_bound = *midnight;
        return {};
    }
};

// Places of one kind in order, from a statement of (effective, rec).
class Source {
public:
    static Result<Source> of(Result<Rows> rows) {
        TRY_ASSIGN(Rows running, std::move(rows));
        Source source(std::move(running));
        TRY(source.step());
        return source;
    }
    const std::optional<Place>& head() const { return head_; }
    Result<void> step() {
        TRY_ASSIGN(const bool more, rows_.next());
        head_ =
            more ? std::optional<Place>(Place{rows_.integer(0), rows_.integer(1)}) : std::nullopt;
        return {};
    }

private:
    explicit Source(Rows rows) : rows_(std::move(rows)) {}
    Rows rows_;
    std::optional<Place> head_;
};

// "p1" of a school as its district's: "district/p1".
std::optional<std::string> in_parent(const std::string& value, const Query& query) {
    const bool plain = value.starts_with('"') && value.find('/') == std::string::npos;
    if (query.parent.empty() || !plain) return std::nullopt;
    return '"' + query.parent + '/' + value.substr(1);
}

class Sources {
public:
    Sources(Database& db, const Query& query, const Range& range, const Place& from)
        : db_(db), query_(query), from_(from), lowest_(range.lowest_key()) {
        // One upper bound, not two: of two SQLite seeks to the first and filters by the second.
        from_ = std::min(from_, Place{range.behind_last_key(), smallest});
    }

    Result<void> open() {
        std::vector<std::int64_t> kinds;
        TRY_ASSIGN(Rows rows,
                   db_.query("SELECT id FROM kind WHERE ?1 = '' OR name = ?1", query_.kind));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            kinds.push_back(rows.integer(0));
        }
        TRY_ASSIGN(const auto bulk, db_.number("SELECT bulk FROM totals WHERE one = 1"));
        for (const std::int64_t kind : kinds) {
            // Within a bulk load the rows of field values are not complete.
            TRY_ASSIGN(const bool by_field, bulk == 0 ? open_field(kind) : Result<bool>(false));
            if (by_field) continue;
            TRY(open_bucket(kind * 2));
            if (query_.deleted) TRY(open_bucket(kind * 2 + 1));
        }
        return {};
    }
    // The newest place of all sources that is left.
    Result<std::optional<Place>> next() {
        Source* newest = nullptr;
        for (Source& source : sources_) {
            if (!source.head()) continue;
            if (newest == nullptr || *source.head() > *newest->head()) newest = &source;
        }
        if (newest == nullptr) return std::optional<Place>{};
        const std::optional<Place> place = newest->head();
        TRY(newest->step());
        return place;
    }

private:
    // True if one of the conditions is on an indexed field.
    Result<bool> open_field(std::int64_t kind) {
        for (const auto& [field, value] : query_.where) {
            // A whole array is found by comparing, not by its elements.
            if (value.empty() || value.front() == '[' || value == "null") continue;
            TRY_ASSIGN(
                const auto row,
                db_.number("SELECT id FROM field WHERE kind = ?1 AND name = ?2 AND built = ?3",
                           kind, field, std::numeric_limits<std::int64_t>::max()));
            if (!row) continue;
            TRY(open_value(*row, value));
            if (const auto other = in_parent(value, query_)) TRY(open_value(*row, *other));
            return true;
        }
        return false;
    }
    Result<void> open_value(std::int64_t field, const std::string& value) {
        TRY_ASSIGN(Source source,
                   Source::of(db_.query("SELECT effective, rec FROM field_value "
                                        "WHERE field = ?1 AND value = ?2 "
                                        "AND (effective, rec) < (?3, ?4) AND effective >= ?5 "
                                        "ORDER BY effective DESC, rec DESC",
                                        field, lookup_key(value), from_.key, from_.rec, lowest_)));
        sources_.push_back(std::move(source));
        return {};
    }
    Result<void> open_bucket(std::int64_t bucket) {
        TRY_ASSIGN(Source source,
                   Source::of(db_.query("SELECT effective, rec FROM record WHERE bucket = ?1 "
                                        "AND (effective, rec) < (?2, ?3) AND effective >= ?4 "
                                        "ORDER BY effective DESC, rec DESC",
                                        bucket, from_.key, from_.rec, lowest_)));
        sources_.push_back(std::move(source));
        return {};
    }

    Database& db_;
    const Query& query_;
    Place from_;
    const std::int64_t lowest_;
    std::vector<Source> sources_;
};

bool fulfils(const domain::RecordState& state, const Query& query) {
    return std::all_of(query.where.begin(), query.where.end(), [&](const auto& condition) {
        const auto& [field, value] = condition;
        if (holds(state, field, value)) return true;
        const auto other = in_parent(value, query);
        return other && holds(state, field, *other);
    });
}

std::size_t page_size(const Query& query) {
    return std::max<std::size_t>(query.limit, 1);
}

}  // namespace

Result<Page> ReadConnection::list(const Query& query) {
    if (!query.text.empty()) return search(query);
    Page page;
    TRY_ASSIGN(const Place from, parse_cursor('e', query.after));
    TRY_ASSIGN(const Range range, Range::of(query));
    Sources sources(*db_, query, range, from);
    TRY(sources.open());
    Place last;
    std::optional<Place> seen;
    while (true) {
        TRY_ASSIGN(const auto place, sources.next());
        if (!place) return page;
        if (place == seen || !range.contains(place->key)) continue;
        seen = place;  // an array may hold both of two values that are looked for
        TRY_ASSIGN(const auto row, records_.by_rec(place->rec));
        if (!row || !row->bucket || (row->deleted() && !query.deleted)) continue;
        TRY_ASSIGN(StoredRecord record, records_.stored(*row));
        if (!fulfils(record.state, query)) continue;
        if (page.records.size() == page_size(query)) {  // one more: there is a next page
            page.next = cursor('e', last);
            return page;
        }
        last = *place;
        page.records.push_back(std::move(record));
    }
}

Result<Page> ReadConnection::search(const Query& query) {
    Page page;
    TRY_ASSIGN(const Place from, parse_cursor('s', query.after));
    TRY_ASSIGN(const Range range, Range::of(query));
    std::optional<std::int64_t> kind;
    if (!query.kind.empty()) {
        TRY_ASSIGN(kind, db_->number("SELECT id FROM kind WHERE name = ?1", query.kind));
        if (!kind) return page;
    }
    TRY_ASSIGN(const std::string words,
               search_expression(*db_, query.text, kind ? kind_word(*kind) : std::string()));
    if (words.empty()) return page;
    TRY_ASSIGN(Rows rows, db_->query("SELECT rowid FROM search WHERE search MATCH ?1 "
                                     "AND rowid < ?2 ORDER BY rowid DESC",
                                     words, from.rec));
    Place last;
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return page;
        TRY_ASSIGN(const auto row, records_.by_rec(rows.integer(0)));
        if (!row || !row->bucket || (row->deleted() && !query.deleted)) continue;
        if (kind && *row->bucket / 2 != *kind) continue;
        if (!range.contains(row->effective)) continue;
        TRY_ASSIGN(StoredRecord record, records_.stored(*row));
        if (!fulfils(record.state, query)) continue;
        if (page.records.size() == page_size(query)) {
            page.next = cursor('s', last);
            return page;
        }
        last = {row->effective, row->rec};
        page.records.push_back(std::move(record));
    }
}

}  // namespace dutybook::store
