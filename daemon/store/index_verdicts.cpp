// Verdicts of the rules. A row fits the record as it is shown: whatever changes a record takes its
// verdicts away, so that counting rows says what is judged.

#include "store/index_sqlite.h"

#include <algorithm>

namespace dutybook::store {
namespace {

// What is read is remembered by a number: two ids that meet in one cause a second look, no more.
std::int64_t number_of(std::string_view id) {
    std::uint64_t number = 14695981039346656037u;  // FNV-1a
    for (const char c : id) number = (number ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return static_cast<std::int64_t>(number);
}

template <class Each>
void each_line(std::string_view text, Each each) {
    for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;) {
        each(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
}

std::string_view bytes_of(const Hash& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

Hash hash_from(std::string_view bytes) {
    Hash hash{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
    return hash;
}

constexpr const char* verdict_columns =
    "SELECT r.id, v.version, p.digest, v.findings, v.reads "
    "FROM verdict v JOIN record r ON r.rec = v.rec JOIN plugin p ON p.id = v.plugin ";

Verdict verdict_in(const Rows& rows) {
    Verdict verdict;
    verdict.record = rows.text(0);
    verdict.version = rows.text(1);
    verdict.plugin_digest = rows.text(2);
    verdict.findings = rows.text(3);
    each_line(rows.text(4), [&](std::string_view id) { verdict.reads.emplace_back(id); });
    return verdict;
}

}  // namespace

Result<std::int64_t> SqliteIndex::plugin_row(const std::string& digest) {
    const auto found = plugins_.find(digest);
    if (found != plugins_.end()) return found->second;
    TRY(db_->run("INSERT INTO plugin(digest) VALUES(?1)", digest));
    return plugins_[digest] = db_->last_rowid();
}

Result<void> SqliteIndex::load_verdicts() {
    plugins_.clear();
    judged_.clear();
    changed_judged_.clear();
    TRY_ASSIGN(Rows plugins, db_->query("SELECT digest, id FROM plugin"));
    while (true) {
        TRY_ASSIGN(const bool more, plugins.next());
        if (!more) break;
        plugins_[std::string(plugins.text(0))] = plugins.integer(1);
    }
    TRY_ASSIGN(Rows counts, db_->query("SELECT kind, plugin, verdicts FROM judged"));
    while (true) {
        TRY_ASSIGN(const bool more, counts.next());
        if (!more) return {};
        judged_[{counts.integer(0), counts.integer(1)}] =
            static_cast<std::uint64_t>(counts.integer(2));
    }
}

void SqliteIndex::count_judged(std::int64_t kind, std::int64_t plugin, int change) {
    std::uint64_t& count = judged_[{kind, plugin}];
    count = change < 0 ? count - 1 : count + 1;
    changed_judged_.insert({kind, plugin});
}

Result<void> SqliteIndex::save_judged() {
    for (const auto& [kind, plugin] : changed_judged_) {
        TRY(db_->run("INSERT OR REPLACE INTO judged(kind, plugin, verdicts) VALUES(?1, ?2, ?3)",
                     kind, plugin, judged_[std::pair(kind, plugin)]));
    }
    changed_judged_.clear();
    return {};
}

Result<void> SqliteIndex::put_verdict(const Verdict& verdict) {
    std::int64_t rec = 0, kind = 0;
    {
        TRY_ASSIGN(Rows row, db_->query("SELECT rec, bucket FROM record WHERE id = ?1 AND "
                                        "bucket & 1 = 0",
                                        verdict.record));
        TRY_ASSIGN(const bool found, row.next());
        if (!found) return {};
        rec = row.integer(0);
        kind = row.integer(1) / 2;
    }
    TRY_ASSIGN(const std::int64_t plugin, plugin_row(verdict.plugin_digest));
    TRY_ASSIGN(const auto before,
               db_->number("SELECT 1 FROM verdict WHERE rec = ?1 AND plugin = ?2", rec, plugin));
    if (before) {
        TRY(drop_findings(rec, plugin));
    } else {
        count_judged(kind, plugin, 1);
    }
    std::string reads;
    for (const std::string& id : verdict.reads) reads += id + "\n";
    TRY(
        db_->run("INSERT OR REPLACE INTO verdict(rec, plugin, kind, version, findings, reads) "
                 "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                 rec, plugin, kind, verdict.version, verdict.findings, reads));
    for (const std::string& id : verdict.reads) {
        TRY(db_->run("INSERT OR IGNORE INTO verdict_read(read, rec) VALUES(?1, ?2)", number_of(id),
                     rec));
    }
    for (const Verdict::Found& found : verdict.found) {
        TRY_ASSIGN(const bool known, finding_told(found.id, found.hash));
        if (!known) totals_.findings_digest.add(found.hash);
        TRY(
            db_->run("INSERT OR IGNORE INTO finding(id, hash, rec, plugin, rule) "
                     "VALUES(?1, ?2, ?3, ?4, ?5)",
                     found.id, Blob{bytes_of(found.hash)}, rec, plugin, found.rule));
    }
    return {};
}

Result<bool> SqliteIndex::finding_told(std::string_view id, const Hash& hash) {
    TRY_ASSIGN(const auto told,
               db_->number("SELECT 1 FROM finding WHERE id = ?1 AND hash = ?2 LIMIT 1", id,
                           Blob{bytes_of(hash)}));
    return told.has_value();
}

// Of one plugin, or of all (no plugin).
Result<void> SqliteIndex::drop_findings(std::int64_t rec, std::optional<std::int64_t> plugin) {
    std::vector<std::pair<std::string, Hash>> told;
    {
        TRY_ASSIGN(Rows rows, db_->query("SELECT id, hash FROM finding WHERE rec = ?1 AND "
                                         "(?2 IS NULL OR plugin = ?2)",
                                         rec, plugin));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            told.emplace_back(rows.text(0), hash_from(rows.text(1)));
        }
    }
    if (told.empty()) return {};
    TRY(db_->run("DELETE FROM finding WHERE rec = ?1 AND (?2 IS NULL OR plugin = ?2)", rec,
                 plugin));
    std::sort(told.begin(), told.end());
    told.erase(std::unique(told.begin(), told.end()), told.end());
    for (const auto& [id, hash] : told) {
        TRY_ASSIGN(const bool still, finding_told(id, hash));
        if (!still) totals_.findings_digest.remove(hash);
    }
    return {};
}

Result<void> SqliteIndex::drop_verdicts_of(std::int64_t rec) {
    bool any = false;
    std::set<std::int64_t> reads;
    {
        TRY_ASSIGN(Rows rows,
                   db_->query("SELECT plugin, kind, reads FROM verdict WHERE rec = ?1", rec));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            any = true;
            count_judged(rows.integer(1), rows.integer(0), -1);
            each_line(rows.text(2), [&](std::string_view id) { reads.insert(number_of(id)); });
        }
    }
    if (!any) return {};
    for (const std::int64_t read : reads) {
        TRY(db_->run("DELETE FROM verdict_read WHERE read = ?1 AND rec = ?2", read, rec));
    }
    TRY(drop_findings(rec, std::nullopt));
    return db_->run("DELETE FROM verdict WHERE rec = ?1", rec);
}

Result<void> SqliteIndex::put_verdicts(std::span<const Verdict> verdicts) {
    return transact([&]() -> Result<void> {
        for (const Verdict& verdict : verdicts) TRY(put_verdict(verdict));
        return {};
    });
}

Result<void> SqliteIndex::drop_verdicts(std::span<const std::string> records) {
    return transact([&]() -> Result<void> {
        for (const std::string& record : records) {
            TRY_ASSIGN(const auto rec, db_->number("SELECT rec FROM record WHERE id = ?1", record));
            if (rec) TRY(drop_verdicts_of(*rec));
        }
        return {};
    });
}

// The edges stay: those that no verdict needs only cause a second look, until its record changes.
Result<void> SqliteIndex::keep_verdicts_of(std::span<const std::string> plugin_digests) {
    const auto gone = [&](const auto& plugin) {
        return std::find(plugin_digests.begin(), plugin_digests.end(), plugin.first) ==
               plugin_digests.end();
    };
    if (std::none_of(plugins_.begin(), plugins_.end(), gone)) return {};
    return transact([&]() -> Result<void> {
        for (auto plugin = plugins_.begin(); plugin != plugins_.end();) {
            if (!gone(*plugin)) {
                ++plugin;
                continue;
            }
            const std::int64_t row = plugin->second;
            std::vector<std::int64_t> recs;
            {
                TRY_ASSIGN(Rows rows,
                           db_->query("SELECT DISTINCT rec FROM finding WHERE plugin = ?1", row));
                while (true) {
                    TRY_ASSIGN(const bool more, rows.next());
                    if (!more) break;
                    recs.push_back(rows.integer(0));
                }
            }
            for (const std::int64_t rec : recs) TRY(drop_findings(rec, row));
            TRY(db_->run("DELETE FROM verdict WHERE plugin = ?1", row));
            TRY(db_->run("DELETE FROM judged WHERE plugin = ?1", row));
            TRY(db_->run("DELETE FROM plugin WHERE id = ?1", row));
            std::erase_if(judged_, [&](const auto& count) { return count.first.second == row; });
            std::erase_if(changed_judged_, [&](const auto& key) { return key.second == row; });
            plugin = plugins_.erase(plugin);
        }
        return {};
    });
}

Result<std::vector<Verdict>> ReadConnection::verdicts_of(std::string_view record) {
    std::vector<Verdict> verdicts;
    TRY_ASSIGN(Rows rows, db_->query(std::string(verdict_columns) +
                                         "WHERE v.rec = (SELECT rec FROM record WHERE id = ?1) "
                                         "ORDER BY p.digest",
                                     record));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return verdicts;
        verdicts.push_back(verdict_in(rows));
    }
}

Result<std::vector<std::string>> ReadConnection::judged_with(std::string_view id) {
    std::vector<std::string> records;
    TRY_ASSIGN(Rows rows, db_->query("SELECT r.id FROM verdict_read e JOIN record r "
                                     "ON r.rec = e.rec WHERE e.read = ?1 ORDER BY r.id",
                                     number_of(id)));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) return records;
        records.emplace_back(rows.text(0));
    }
}

}  // namespace dutybook::store
