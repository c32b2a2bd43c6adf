// Lookup rows of indexed fields and references, and full text.

#include "store/index_sqlite.h"
#include "store/index_values.h"

#include <algorithm>
#include <tuple>

namespace dutybook::store {
namespace {

using Key = std::pair<std::int64_t, std::string>;  // field, value

constexpr std::size_t rows_at_once = 32;
constexpr std::size_t most_new_values = 16'384;

// Sorted, each once.
template <class Fields>
std::vector<Key> keys_of(std::int64_t rec, const domain::RecordState* state, const Fields& fields) {
    std::vector<Key> keys;
    if (state == nullptr || !state->born) return keys;
    for (const auto& [name, field] : fields) {
        if (field.built < rec) continue;  // build_fields() comes by
        const auto value = state->fields.find(name);
        if (value == state->fields.end()) continue;
        for (std::string& key : lookup_keys(value->second)) {
            keys.emplace_back(field.row, std::move(key));
        }
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

}  // namespace

Result<SqliteIndex::Kind*> SqliteIndex::kind_of(const std::string& name) {
    auto found = kinds_.find(name);
    if (found == kinds_.end()) {
        TRY(db_->run("INSERT INTO kind(name, traits, alive) VALUES(?1, '', 0)", name));
        Kind kind;
        kind.row = db_->last_rowid();
        found = kinds_.emplace(name, std::move(kind)).first;
    } else if (staging_) {
        return &found->second;  // the rows of a bulk load are made with one set of fields
    }
    Kind& kind = found->second;
    if (kind.verified != transaction_) {
        kind.verified = transaction_;
        kind.seen = catalog_.find(name);
        if (kind.traits != fingerprint(kind.seen)) TRY(reindex_kind(name, kind));
    }
    return &kind;
}

// The kind is new, or its schema marks other fields than when its rows were made.
Result<void> SqliteIndex::reindex_kind(const std::string& name, Kind& kind) {
    const domain::KindTraits* traits = catalog_.find(name);
    const std::string base = rows_fingerprint(traits);
    const bool fields_alone = !base.empty() && kind.traits.starts_with(base);
    kind.traits = fingerprint(traits);
    TRY(db_->run("UPDATE kind SET traits = ?2 WHERE id = ?1", kind.row, kind.traits));
    if (fields_alone) return change_fields(kind, traits);
    TRY(db_->run("DELETE FROM field_value WHERE field IN (SELECT id FROM field WHERE kind = ?1)",
                 kind.row));
    TRY(db_->run("DELETE FROM field WHERE kind = ?1", kind.row));
    kind.fields.clear();
    if (traits != nullptr) {
        for (const auto& [field, its] : traits->fields) {
            if (!kept_for_lookup(its)) continue;
            const bool refers = !its.refers.empty();
            TRY(db_->run("INSERT INTO field(kind, name, refers, built) VALUES(?1, ?2, ?3, ?4)",
                         kind.row, field, refers ? 1 : 0, everything));
            kind.fields[field] = {db_->last_rowid(), refers, everything};
        }
    }

    std::vector<std::int64_t> recs;  // first collected: the loop changes the order of the index
    {
        TRY_ASSIGN(Rows rows, db_->query("SELECT rec FROM record WHERE bucket IN (?1, ?2)",
                                         kind.row * 2, kind.row * 2 + 1));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            recs.push_back(rows.integer(0));
        }
    }
    if (!recs.empty()) TRY(reset_search());
    for (const std::int64_t rec : recs) {
        TRY_ASSIGN(const auto row, records_.by_rec(rec));
        if (!row) continue;
        TRY_ASSIGN(const domain::RecordState state, records_.state(*row));
        Change change{rec, nullptr, &state, 0, effective_key(state, traits)};
        TRY(db_->run("UPDATE record SET effective = ?2 WHERE rec = ?1", rec,
                     change.effective_after));
        for (const auto& [field, value] : keys_of(rec, &state, kind.fields)) {
            TRY(db_->run("INSERT INTO field_value VALUES(?1, ?2, ?3, ?4)", field, value,
                         change.effective_after, rec));
        }
    }
    return {};
}

// Fields that are no longer looked up lose their rows; new ones get theirs in slices.
Result<void> SqliteIndex::change_fields(Kind& kind, const domain::KindTraits* traits) {
    for (auto field = kind.fields.begin(); field != kind.fields.end();) {
        const auto its = traits->fields.find(field->first);
        if (its != traits->fields.end() && kept_for_lookup(its->second)) {
            ++field;
            continue;
        }
        TRY(db_->run("DELETE FROM field_value WHERE field = ?1", field->second.row));
        TRY(db_->run("DELETE FROM field WHERE id = ?1", field->second.row));
        field = kind.fields.erase(field);
    }
    TRY_ASSIGN(const auto any, db_->number("SELECT 1 FROM record WHERE bucket IN (?1, ?2) LIMIT 1",
                                           kind.row * 2, kind.row * 2 + 1));
    for (const auto& [name, its] : traits->fields) {
        if (!kept_for_lookup(its)) continue;
        const bool refers = !its.refers.empty();
        const auto known = kind.fields.find(name);
        if (known != kind.fields.end()) {
            known->second.refers = refers;
            TRY(db_->run("UPDATE field SET refers = ?2 WHERE id = ?1", known->second.row,
                         refers ? 1 : 0));
            continue;
        }
        const std::int64_t built = any ? -1 : everything;
        TRY(db_->run("INSERT INTO field(kind, name, refers, built) VALUES(?1, ?2, ?3, ?4)",
                     kind.row, name, refers ? 1 : 0, built));
        kind.fields[name] = {db_->last_rowid(), refers, built};
    }
    return {};
}

// Rows of the next records for every field that lacks them; true = more to do.
Result<bool> SqliteIndex::build_fields(std::size_t records) {
    std::int64_t from = everything;
    std::map<std::int64_t, Kind*> kinds;  // by bucket / 2
    for (auto& [name, kind] : kinds_) {
        TRY(kind_of(name));
        for (const auto& [field, its] : kind.fields) from = std::min(from, its.built);
        kinds[kind.row] = &kind;
    }
    if (from == everything) return false;
    std::size_t done = 0;
    std::int64_t last = from;
    TRY_ASSIGN(Rows rows, db_->query("SELECT rec FROM record WHERE rec > ?1 ORDER BY rec LIMIT ?2",
                                     from, records));
    while (true) {
        TRY_ASSIGN(const bool more, rows.next());
        if (!more) break;
        ++done;
        last = rows.integer(0);
        TRY_ASSIGN(const auto row, records_.by_rec(last));
        if (!row || !row->bucket) continue;
        auto lacking = kinds.at(*row->bucket / 2)->fields;
        std::erase_if(lacking, [&](const auto& field) { return field.second.built >= last; });
        if (lacking.empty()) continue;
        for (auto& [name, field] : lacking) field.built = everything;
        TRY_ASSIGN(const domain::RecordState state, records_.state(*row));
        for (const auto& [field, value] : keys_of(last, &state, lacking)) {
            TRY(db_->run("INSERT INTO field_value VALUES(?1, ?2, ?3, ?4)", field, value,
                         row->effective, last));
        }
    }
    const std::int64_t built = done < records ? everything : last;
    for (const auto& [row, kind] : kinds) {
        for (auto& [name, field] : kind->fields) field.built = std::max(field.built, built);
    }
    TRY(db_->run("UPDATE field SET built = ?1 WHERE built < ?1", built));
    return built != everything;
}

Result<void> SqliteIndex::write_values(const Change& change) {
    std::vector<Key> before, after;
    if (change.before != nullptr && change.before->born) {
        TRY_ASSIGN(const Kind* kind, kind_of(change.before->kind));
        before = keys_of(change.rec, change.before, kind->fields);
    }
    if (change.after != nullptr && change.after->born) {
        TRY_ASSIGN(const Kind* kind, kind_of(change.after->kind));
        after = keys_of(change.rec, change.after, kind->fields);
    }
    const bool moved = change.effective_before != change.effective_after;
    for (const auto& [field, value] : before) {
        if (!moved && std::binary_search(after.begin(), after.end(), Key{field, value})) continue;
        TRY(
            db_->run("DELETE FROM field_value WHERE field = ?1 AND value = ?2 AND effective = ?3 "
                     "AND rec = ?4",
                     field, value, change.effective_before, change.rec));
    }
    for (auto& [field, value] : after) {
        if (!moved && std::binary_search(before.begin(), before.end(), Key{field, value})) continue;
        new_values_.push_back({field, std::move(value), change.effective_after, change.rec});
    }
    return new_values_.size() < most_new_values ? Result<void>{} : write_new_values();
}

// Several rows a statement, in the order of their index: half of what each by itself costs.
Result<void> SqliteIndex::write_new_values() {
    static const std::string many = [] {
        std::string sql = "INSERT INTO field_value VALUES(?, ?, ?, ?)";
        for (std::size_t i = 1; i < rows_at_once; ++i) sql += ", (?, ?, ?, ?)";
        return sql;
    }();
    if (!staging_) {
        std::sort(new_values_.begin(), new_values_.end(), [](const auto& a, const auto& b) {
            return std::tie(a.field, a.value, a.effective) <
                   std::tie(b.field, b.value, b.effective);
        });
    }
    std::span<const ValueRow> rest(new_values_);
    while (!rest.empty()) {
        const bool whole = rest.size() >= rows_at_once;
        const auto rows = rest.first(whole ? rows_at_once : 1);
        const std::string_view sql =
            whole ? std::string_view(many) : "INSERT INTO field_value VALUES(?, ?, ?, ?)";
        TRY(db_->run_with(sql, [&](auto bind) {
            for (const ValueRow& row : rows) {
                bind(row.field);
                bind(row.value);
                bind(row.effective);
                bind(row.rec);
            }
        }));
        rest = rest.subspan(rows.size());
    }
    new_values_.clear();
    return {};
}

Result<void> SqliteIndex::note_search(const Change& change) {
    if (change.rec > searched_) return {};  // catch_up_search() comes by
    SearchChange search{change.rec, {}, {}};
    if (change.before != nullptr && change.before->born) {
        TRY_ASSIGN(const Kind* kind, kind_of(change.before->kind));
        search.before = search_text(*change.before, catalog_.find(change.before->kind), kind->row);
    }
    if (change.after != nullptr && change.after->born) {
        TRY_ASSIGN(const Kind* kind, kind_of(change.after->kind));
        search.after = search_text(*change.after, catalog_.find(change.after->kind), kind->row);
    }
    if (search.before != search.after) search_changes_.push_back(std::move(search));
    return {};
}

// In order of rec: FTS5 writes out what it has gathered whenever a smaller one follows.
Result<void> SqliteIndex::write_search() {
    std::stable_sort(search_changes_.begin(), search_changes_.end(),
                     [](const auto& a, const auto& b) { return a.rec < b.rec; });
    for (const SearchChange& change : search_changes_) {
        if (change.rec > searched_) continue;
        if (!change.before.empty()) {
            TRY(db_->run("INSERT INTO search(search, rowid, text) VALUES('delete', ?1, ?2)",
                         change.rec, change.before));
        }
        if (!change.after.empty()) {
            TRY(db_->run("INSERT INTO search(rowid, text) VALUES(?1, ?2)", change.rec,
                         change.after));
        }
    }
    search_changes_.clear();
    return {};
}

Result<void> SqliteIndex::reset_search() {
    TRY(db_->run("INSERT INTO search(search) VALUES('delete-all')"));
    search_changes_.clear();
    searched_ = -1;
    return save_searched();
}

Result<void> SqliteIndex::save_searched() {
    return db_->run("INSERT OR REPLACE INTO meta(key, value) VALUES('searched', ?1)",
                    std::to_string(searched_));
}

Result<bool> SqliteIndex::catch_up_search(std::size_t records) {
    if (bulk_) return true;
    if (searched_ == everything) {
        const auto settled = [this](const auto& entry) {
            const auto& [name, kind] = entry;
            return kind.seen == catalog_.find(name) &&
                   std::all_of(kind.fields.begin(), kind.fields.end(),
                               [](const auto& field) { return field.second.built == everything; });
        };
        if (std::all_of(kinds_.begin(), kinds_.end(), settled)) return false;
        return transact([&]() -> Result<bool> { return build_fields(records); });
    }
    return transact([&]() -> Result<bool> {
        std::size_t done = 0;
        std::int64_t last = searched_;
        TRY_ASSIGN(Rows rows, db_->query("SELECT rec FROM record WHERE rec > ?1 ORDER BY rec "
                                         "LIMIT ?2",
                                         searched_, records));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            ++done;
            last = rows.integer(0);
            TRY_ASSIGN(const auto row, records_.by_rec(last));
            if (!row || !row->bucket) continue;
            TRY_ASSIGN(const domain::RecordState state, records_.state(*row));
            TRY(db_->run("INSERT INTO search(rowid, text) VALUES(?1, ?2)", last,
                         search_text(state, catalog_.find(state.kind), *row->bucket / 2)));
        }
        searched_ = done < records ? everything : last;
        TRY(save_searched());
        return searched_ != everything;
    });
}

}  // namespace dutybook::store
