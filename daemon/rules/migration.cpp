#include "rules/migration.h"

#include "rules/splice.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

constexpr std::size_t value_limit = 16 * 1024;  // of one field; an operation holds 64 KiB
constexpr std::size_t bytes_at_once = 8u << 20;

Json fields_of(const RuleRecord& record) {
    Json fields = Json::object();
    for (const auto& [name, value] : record.fields) {
        Json parsed = Json::parse(value, nullptr, false);
        if (!parsed.is_discarded()) fields[name] = std::move(parsed);
    }
    return fields;
}

RuleRecord changed(const RuleRecord& record, const Json& changes) {
    RuleRecord after = record;
    for (const auto& [field, value] : changes.items()) {
        after.fields.erase(field);
        if (!value.is_null()) after.fields[field] = canonical(value);
    }
    return after;
}

Result<void> may_be_set(const RuleRecord& record, const Kinds& kinds, const std::string& field,
                        const Json& value) {
    if (!domain::valid_field_name(field) || field.starts_with('_')) {
        return malformed("migrate names a field that there cannot be", pointer_to("", field));
    }
    // Two sites that each count once would have counted twice.
    const auto* const traits = kinds.find(record.kind);
    const auto found = traits->fields.find(field);
    if (found != traits->fields.end() && found->second.merge == domain::Merge::Counter) {
        return malformed("migrate changes a counter", pointer_to("", field));
    }
    if (canonical(value).size() > value_limit) {
        return failure(Code::TooLarge, "migrate gives the field more than 16 KiB", {}, {});
    }
    return {};
}

// What an answer changes indeed: a value that stands there already is left out.
Result<Json> read_changes(const Result<std::string>& answer, const Manifest& manifest,
                          const RuleRecord& record, const Kinds& kinds) {
    if (!answer) return answer.error();
    Json changes = Json::object();
    if (!answer->empty()) {
        auto parsed = parse_json(*answer, answer_limits(manifest));
        if (!parsed) {
            return failure(Code::Internal, "migrate gave an answer that cannot be read",
                           parsed.error().text());
        }
        if (parsed->is_null()) return Result<Json>(boost::system::in_place_value, changes);
        if (!parsed->is_object()) {
            return failure(Code::Internal, "migrate gave an answer that is no object of fields");
        }
        for (const auto& [field, value] : parsed->items()) {
            TRY(may_be_set(record, kinds, field, value));
            const auto now = record.fields.find(field);
            const bool stands = value.is_null()
                                    ? now == record.fields.end()
                                    : now != record.fields.end() && now->second == canonical(value);
            if (!stands) changes[field] = value;
        }
    }
    return Result<Json>(boost::system::in_place_value, std::move(changes));
}

Result<void> fits(const RuleRecord& record, const Kinds& kinds, bool changes) {
    const auto errors = kinds.validate(record.kind, fields_of(record));
    if (errors.empty()) return {};
    Error error = errors.front();
    error.why = changes ? "what migrate made of it does not fit the kind"
                        : "it does not fit the kind, and migrate has nothing to do on it";
    error.fix = "change the record by hand, or let migrate deal with it";
    return error;
}

using Asked = std::vector<Result<std::string>>;

Asked ask(const ActivePlugin& plugin, std::span<const RuleRecord> records) {
    // Not a space's settings: they may differ while sites are apart.
    const std::string settings = canonical(plugin.package.manifest.default_configuration());
    Asked answers;
    std::vector<WorkerCall> calls;
    std::size_t bytes = 0;
    const auto send = [&] {
        if (calls.empty()) return;
        auto more = plugin.slot->run(calls, settings);
        std::move(more.begin(), more.end(), std::back_inserter(answers));
        calls.clear();
        bytes = 0;
    };
    for (const RuleRecord& record : records) {
        calls.push_back({"migrate", record.kind, migrate_input(record)});
        bytes += calls.back().input.size();
        if (bytes > bytes_at_once) send();
    }
    send();
    return answers;
}

}  // namespace

std::vector<Result<Json>> migrations(const ActivePlugin& plugin, const Kinds& kinds,
                                     std::span<const RuleRecord> records) {
    const Manifest& manifest = plugin.package.manifest;
    std::vector<Result<Json>> out;
    std::vector<RuleRecord> results;
    std::vector<std::size_t> places;
    const Asked first = ask(plugin, records);
    for (std::size_t i = 0; i < records.size(); ++i) {
        out.push_back(read_changes(first[i], manifest, records[i], kinds));
        if (!out.back()) continue;
        RuleRecord after = changed(records[i], *out.back());
        if (const auto fit = fits(after, kinds, !out.back()->empty()); !fit) {
            out.back() = fit.error();
        } else if (!out.back()->empty()) {
            results.push_back(std::move(after));
            places.push_back(i);
        }
    }
    const Asked second = ask(plugin, results);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto again = read_changes(second[i], manifest, results[i], kinds);
        if (!again) {
            out[places[i]] = again.error();
        } else if (!again->empty()) {
            Error error = failure(Code::Internal, "migrate is not idempotent",
                                  "asked about what it made of the record, it changes it again",
                                  "it must have nothing to do on its own result");
            error.pointer = pointer_to("", again->begin().key());
            out[places[i]] = std::move(error);
        }
    }
    return out;
}

}  // namespace dutybook::rules
