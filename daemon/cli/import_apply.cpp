#include "cli/import_apply.h"

#include "cli/print.h"

#include <algorithm>
#include <ostream>

namespace dutybook::cli {

namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

bool same_reference(const Json& wanted, const Json& is) {
    if (!wanted.is_string() || !is.is_string()) return wanted == is;
    const auto& a = wanted.get_ref<const std::string&>();
    const auto& b = is.get_ref<const std::string&>();
    // A record of the parent space is written "space/id".
    return a == b || (b.size() > a.size() && b.ends_with('/' + a));
}

// Lists are compared as sets: their order is the store's where the kind merges them so.
bool same_value(const Json& wanted, const Json& is, bool refers) {
    if (!wanted.is_array() || !is.is_array()) {
        return refers ? same_reference(wanted, is) : wanted == is;
    }
    return wanted.size() == is.size() &&
           std::all_of(wanted.begin(), wanted.end(), [&](const Json& one) {
               return std::any_of(is.begin(), is.end(), [&](const Json& other) {
                   return refers ? same_reference(one, other) : one == other;
               });
           });
}

// The fields of `wanted` that differ from what is held.
Json difference(const formats::MappedRecord& wanted, const Json& is) {
    Json patch = Json::object();
    for (const auto& [name, value] : wanted.fields.items()) {
        const auto found = is.find(name);
        if (found != is.end() && wanted.once.count(name) != 0) continue;
        if (found == is.end() || !same_value(value, *found, wanted.refers.count(name) != 0)) {
            patch[name] = value;
        }
    }
    return patch;
}

// "/fields/code" or "/code" -> "code"
std::string field_of(std::string_view pointer) {
    if (pointer.starts_with("/fields/")) pointer.remove_prefix(7);
    if (pointer.starts_with("/")) pointer.remove_prefix(1);
    return std::string(pointer.substr(0, pointer.find('/')));
}

}  // namespace

std::uint64_t ImportCounts::failed() const {
    std::uint64_t all = bad_rows;
    for (const auto& [kind, each] : kinds) all += each.failed;
    return all;
}

void tell_problem(Session& session, const Error& error, const char* before) {
    if (session.json()) {
        Json problem = problem_of(error);
        if (before == std::string_view("warning")) problem = {{"warning", problem}};
        print_json(session.out(), problem);
    } else {
        // "users.csv, column role: ..." says where already.
        session.err() << before << ": ";
        if (error.line) session.err() << "line " << *error.line << " of ";
        session.err() << error.what << (error.why.empty() ? "" : ": " + error.why) << '\n';
    }
}

Result<ImportCounts> Importer::run() {
    session_.set_source("imported");
    for (const auto& record : mapped_.records) ++counts_.kinds[record.kind].read;
    for (const auto& removal : mapped_.removals) ++counts_.kinds[removal.kind].read;
    for (const Error& error : mapped_.errors) tell_problem(session_, error, "bad row");
    for (const Error& error : mapped_.warnings) tell_problem(session_, error, "warning");
    counts_.bad_rows = mapped_.errors.size();
    TRY(read_held());
    TRY(tell_orphans());
    TRY(sort_out());
    TRY(add());
    TRY(change());
    TRY(remove());
    session_.end_progress();
    return counts_;
}

Result<void> Importer::read_held() {
    for (const auto& [kind, count] : counts_.kinds) {
        TRY(session_.items(session_.in_space("records?kind=" + kind), 0, [this](const Json& one) {
            held_[text_of(one, "id")] = one.value("fields", Json::object());
        }));
    }
    return {};
}

// Of a record of a kind that is not imported here; the parent space is looked into as well.
Result<bool> Importer::exists(const std::string& id) {
    if (const auto known = looked_.find(id); known != looked_.end()) return known->second;
    const auto found = session_.get(session_.in_space("records/" + percent_encode(id)));
    if (!found && found.error().code != Code::NotFound) return found.error();
    return looked_[id] = found.has_value();
}

Result<void> Importer::tell_orphans() {
    std::set<std::string_view> ids;
    for (const auto& record : mapped_.records) ids.insert(record.id);
    std::set<std::tuple<std::string, std::uint64_t, std::string>> told;
    for (const auto& reference : mapped_.references) {
        if (ids.count(reference.id) != 0 || held_.count(reference.id) != 0) continue;
        TRY_ASSIGN(const bool there, exists(reference.id));
        // One cell may fill several records.
        if (there || !told.emplace(reference.file, reference.line, reference.id).second) continue;
        ++counts_.orphans;
        if (session_.json()) {
            print_json(session_.out(), {{"orphan", reference.id},
                                        {"file", reference.file},
                                        {"line", reference.line},
                                        {"column", reference.column}});
        } else {
            session_.err() << "orphan: line " << reference.line << " of " << reference.file
                           << ", column " << reference.column << ": there is no " << reference.id
                           << '\n';
        }
    }
    return {};
}

void Importer::tell_repeat(const formats::MappedRecord& record, std::uint64_t first) {
    if (session_.json()) {
        print_json(session_.out(), {{"repeat", record.id},
                                    {"file", record.file},
                                    {"line", record.line},
                                    {"first_line", first}});
    } else {
        session_.err() << "repeat: line " << record.line << " of " << record.file
                       << " says what line " << first << " does\n";
    }
}

Result<void> Importer::sort_out() {
    std::map<std::string_view, const formats::MappedRecord*> taken;
    for (const auto& record : mapped_.records) {
        auto& count = counts_.kinds[record.kind];
        const auto [first, is_first] = taken.emplace(record.id, &record);
        if (!is_first) {
            if (first->second->fields == record.fields) {
                ++count.repeated;
                tell_repeat(record, first->second->line);
            } else {
                failed(record, malformed("names " + record.id + " as line " +
                                         std::to_string(first->second->line) +
                                         " does, and says something else"));
            }
            continue;
        }
        const auto found = held_.find(record.id);
        if (found == held_.end()) {
            fresh_.push_back(&record);
            continue;
        }
        Json patch = difference(record, found->second);
        if (patch.empty()) {
            ++count.same;
        } else {
            patches_.emplace_back(&record, std::move(patch));
        }
    }
    return {};
}

void Importer::progress(const char* step, std::size_t done, std::size_t all) {
    constexpr std::size_t every = 250;
    if (session_.json() || all < every || (done % every != 0 && done != all)) return;
    session_.show_progress({{"step", step}, {"done", done}, {"all", all}});
}

Result<void> Importer::add() {
    if (dry_run_) {
        for (const auto* record : fresh_) ++counts_.kinds[record->kind].added;
        return {};
    }
    if (fresh_.empty()) return {};
    std::size_t next = 0, answered = 0;
    const auto source = [&]() -> Result<std::string> {
        std::string chunk;
        while (next < fresh_.size() && chunk.size() < chunk_bytes) {
            const auto& record = *fresh_[next++];
            const Json line = {{"id", record.id}, {"kind", record.kind}, {"fields", record.fields}};
            chunk += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
        }
        return chunk;
    };
    return session_.batch(session_.in_space("records"), "", source, [&](std::string_view line) {
        take_answer(line, *fresh_[std::min(answered++, fresh_.size() - 1)]);
        progress("writing", answered, fresh_.size());
    });
}

void Importer::take_answer(std::string_view line, const formats::MappedRecord& sent) {
    const Json answer = Json::parse(line, nullptr, false);
    if (answer.is_object() && answer.contains("kind") && !answer.contains("code")) {
        ++counts_.kinds[sent.kind].added;
        return;
    }
    failed(sent, answer.is_object()
                     ? error_of(answer, answer.value("status", 400U))
                     : failure(Code::Internal, "the daemon's answer cannot be read"));
}

// The daemon speaks of fields, people of columns.
void Importer::failed(const formats::MappedRecord& record, const Error& error) {
    ++counts_.kinds[record.kind].failed;
    session_.end_progress();
    const std::string field = field_of(error.pointer);
    const auto column = record.columns.find(field);
    const bool known = column != record.columns.end();
    std::string what = known || field.empty() ? error.what : field + ": " + error.what;
    if (!error.why.empty()) what += " (" + error.why + ")";
    tell_problem(
        session_,
        formats::bad_row(record.file, record.line, known ? column->second : std::string(), what),
        "bad row");
}

Result<void> Importer::change() {
    std::size_t tried = 0;
    for (const auto& [record, patch] : patches_) {
        auto& count = counts_.kinds[record->kind];
        progress("changing", ++tried, patches_.size());
        if (!dry_run_) {
            const std::string target = "records/" + percent_encode(record->id) + "?reason=import";
            const auto changed =
                session_.ask("PATCH", session_.in_space(target), patch, {{}, {}, true});
            if (!changed) {
                if (changed.error().code == Code::Unavailable) return changed.error();
                failed(*record, changed.error());
                continue;
            }
        }
        ++count.changed;
    }
    return {};
}

Result<void> Importer::remove() {
    for (const auto& removal : mapped_.removals) {
        auto& count = counts_.kinds[removal.kind];
        if (held_.count(removal.id) == 0) {
            ++count.same;
            continue;
        }
        if (!dry_run_) {
            const std::string target = "records/" + percent_encode(removal.id) + "?reason=import";
            const auto gone = session_.ask("DELETE", session_.in_space(target), Json(), {});
            if (!gone) {
                ++count.failed;
                tell_problem(session_, gone.error(), "bad row");
                continue;
            }
        }
        held_.erase(removal.id);
        ++count.removed;
    }
    return {};
}

}  // namespace dutybook::cli
