// How far the rules have come, and what they found, by id.

#include "store/index_sqlite.h"

#include <charconv>
#include <limits>

namespace dutybook::store {
namespace {

std::string judged_key(std::string_view space) {
    return "judged-upto " + std::string(space);
}

}  // namespace

Result<IndexPoint> ReadConnection::point() {
    TRY_ASSIGN(auto name, db_->string("SELECT value FROM meta WHERE key = ?1", index_name_key));
    TRY_ASSIGN(const auto order, db_->number("SELECT ord FROM totals WHERE one = 1"));
    return IndexPoint{name.value_or(""), static_cast<std::uint64_t>(order.value_or(0))};
}

Result<std::vector<std::string>> ReadConnection::changed_since(const IndexPoint& point) {
    TRY_ASSIGN(const IndexPoint here, this->point());
    std::vector<std::string> ids;
    if (point == here) return ids;
    const std::int64_t after =
        point.index == here.index ? static_cast<std::int64_t>(point.order) : -1;
    TRY_ASSIGN(Rows rows, db_->query("SELECT id FROM record WHERE changed > ?1", after));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return ids;
        ids.emplace_back(rows.text(0));
    }
}

Result<IndexPoint> ReadConnection::judged_upto(std::string_view space) {
    TRY_ASSIGN(const auto text,
               db_->string("SELECT value FROM meta WHERE key = ?1", judged_key(space)));
    IndexPoint point;
    const auto gap = text ? text->find(' ') : std::string::npos;
    if (gap == std::string::npos) return point;
    const auto [end, error] =
        std::from_chars(text->data() + gap + 1, text->data() + text->size(), point.order);
    if (error == std::errc() && end == text->data() + text->size())
        point.index = text->substr(0, gap);
    return point;
}

Result<void> SqliteIndex::set_judged_upto(std::string_view space, const IndexPoint& point) {
    return transact([&]() -> Result<void> {
        return db_->run("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)", judged_key(space),
                        point.index + " " + std::to_string(point.order));
    });
}

Result<Judged> ReadConnection::judged() {
    Judged judged;
    TRY_ASSIGN(Rows kinds, db_->query("SELECT name, alive FROM kind WHERE alive > 0"));
    while (true) {
        TRY_ASSIGN(const bool more, kinds.next());
        if (!more) break;
        judged.living[std::string(kinds.text(0))] = static_cast<std::uint64_t>(kinds.integer(1));
    }
    TRY_ASSIGN(Rows counts, db_->query("SELECT k.name, p.digest, j.verdicts FROM judged j "
                                       "JOIN kind k ON k.id = j.kind "
                                       "JOIN plugin p ON p.id = j.plugin"));
    while (true) {
        TRY_ASSIGN(const bool more, counts.next());
        if (!more) break;
        judged.verdicts[{std::string(counts.text(0)), std::string(counts.text(1))}] =
            static_cast<std::uint64_t>(counts.integer(2));
    }
    TRY_ASSIGN(auto digest, db_->string("SELECT findings_digest FROM totals WHERE one = 1"));
    judged.findings_digest = digest.value_or("");
    return judged;
}

Result<Unjudged> ReadConnection::unjudged(const std::string& kind,
                                          std::span<const std::string> plugin_digests,
                                          const std::string& after, std::size_t limit) {
    Unjudged found;
    TRY_ASSIGN(const auto row, db_->number("SELECT id FROM kind WHERE name = ?1", kind));
    if (!row) return found;
    std::vector<std::int64_t> plugins;
    for (const std::string& digest : plugin_digests) {
        TRY_ASSIGN(const auto plugin,
                   db_->number("SELECT id FROM plugin WHERE digest = ?1", digest));
        plugins.push_back(plugin.value_or(-1));
    }
    // The cursor is a place in the list of the kind: "effective rec".
    std::int64_t effective = std::numeric_limits<std::int64_t>::min(), rec = effective;
    if (const auto space = after.find(' '); space != std::string::npos) {
        effective = std::stoll(after.substr(0, space));
        rec = std::stoll(after.substr(space + 1));
    }
    TRY_ASSIGN(Rows rows, db_->query("SELECT id, effective, rec FROM record WHERE bucket = ?1 AND "
                                     "(effective, rec) > (?2, ?3) ORDER BY effective, rec",
                                     *row * 2, effective, rec));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) break;
        bool lacks = false;
        for (const std::int64_t plugin : plugins) {
            TRY_ASSIGN(const auto verdict,
                       db_->number("SELECT 1 FROM verdict WHERE rec = ?1 AND plugin = ?2",
                                   rows.integer(2), plugin));
            lacks = lacks || !verdict;
        }
        if (!lacks) continue;
        found.records.emplace_back(rows.text(0));
        if (found.records.size() < limit) continue;
        found.next = std::to_string(rows.integer(1)) + " " + std::to_string(rows.integer(2));
        break;
    }
    return found;
}

Result<std::vector<FindingPlace>> ReadConnection::findings(const std::string& from,
                                                           const std::string& rule,
                                                           std::size_t limit) {
    std::vector<FindingPlace> found;
    TRY_ASSIGN(Rows rows, db_->query("SELECT DISTINCT f.id, f.rule, r.id FROM finding f "
                                     "JOIN record r ON r.rec = f.rec WHERE f.id >= ?1 AND "
                                     "(?2 = '' OR f.rule = ?2) ORDER BY f.id",
                                     from, rule));
    std::size_t ids = 0;
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return found;
        if (found.empty() || found.back().id != rows.text(0)) ++ids;
        if (ids > limit) return found;
        found.push_back(
            {std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
    }
}

}  // namespace dutybook::store
