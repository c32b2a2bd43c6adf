#include "rules/kinds.h"

#include "base/file.h"
#include "rules/json_lines.h"
#include "rules/kind_traits.h"
#include "rules/near_names.h"

#include <algorithm>
#include <functional>
#include <set>

namespace dutybook::rules {
namespace {

constexpr std::size_t most_schema_bytes = 1024 * 1024;

std::string top_level_field(std::string_view pointer) {
    if (pointer.empty()) return {};
    std::string field;
    for (std::size_t i = 1; i < pointer.size() && pointer[i] != '/'; ++i) {
        const bool escape = pointer[i] == '~' && i + 1 < pointer.size();
        field += !escape ? pointer[i] : pointer[++i] == '1' ? '/' : '~';
    }
    return field;
}

const Json* member(const Json& object, const std::string& name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool same_field(const Json& a, const Json& b, const std::string& field) {
    const Json* left = member(a, field);
    const Json* right = member(b, field);
    if (left == nullptr || right == nullptr) return left == right;
    return *left == *right;
}

Json without_nulls(const Json& fields) {
    Json kept = Json::object();
    for (const auto& [name, value] : fields.items()) {
        if (!value.is_null()) kept[name] = value;
    }
    return kept;
}

// Every example of a schema is a promise to people who copy it.
Result<void> check_examples(const Json& document, const Schema& schema) {
    const auto examples = document.find("examples");
    if (examples == document.end()) return {};
    for (std::size_t i = 0; i < examples->size(); ++i) {
        auto errors = schema.validate((*examples)[i]);
        if (errors.empty()) continue;
        Error error = std::move(errors.front());
        error.pointer = pointer_to("/examples", i) + error.pointer;
        error.what = "the example is not valid: it " + error.what;
        return error;
    }
    return {};
}

}  // namespace

Result<std::vector<KindSource>> read_kind_folder(const std::filesystem::path& folder,
                                                 const std::string& owner) {
    std::error_code failed;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        if (entry->path().extension() == ".json") files.push_back(entry->path());
    }
    if (failed) {
        return failure(Code::Io, "the kinds in " + folder.string() + " cannot be read",
                       failed.message());
    }
    std::sort(files.begin(), files.end());
    std::vector<KindSource> sources;
    for (const auto& file : files) {
        TRY_ASSIGN(std::string text, read_file(file, most_schema_bytes));
        sources.push_back({file.string(), std::move(text), owner});
    }
    return sources;
}

Result<KindRegistry::Kind> KindRegistry::read(const KindSource& source) {
    TRY_ASSIGN(Json document, parse_document(source.text, source.file));
    const auto placed = [&](Error error) {
        return in_file(std::move(error), source.file, source.text);
    };
    auto schema = Schema::compile(document);
    if (!schema) return placed(std::move(schema).error());
    auto traits = read_kind_traits(document);
    if (!traits) return placed(std::move(traits).error());
    if (auto checked = check_examples(document, *schema); !checked) {
        return placed(std::move(checked).error());
    }
    return Kind{std::move(*traits), source.owner, std::move(document), std::move(*schema)};
}

Result<std::shared_ptr<const KindRegistry>> KindRegistry::build(std::span<const KindSource> sources,
                                                                const Lookups& lookups) {
    auto registry = std::make_shared<KindRegistry>();
    for (const KindSource& source : sources) {
        TRY_ASSIGN(Kind kind, read(source));
        const std::string name = kind.traits.name;
        const std::string owner = kind.owner;
        if (!registry->kinds_.emplace(name, std::move(kind)).second) {
            return in_file(malformed("the kind " + name + " is there twice, the other is of " +
                                         registry->owner_of(name),
                                     "/x-kind"),
                           source.file, source.text);
        }
    }
    for (const auto& [name, fields] : lookups) {
        const auto kind = registry->kinds_.find(name);
        if (kind == registry->kinds_.end()) continue;
        for (const std::string& field : fields) kind->second.traits.fields[field].indexed = true;
    }
    return std::shared_ptr<const KindRegistry>(std::move(registry));
}

Result<std::shared_ptr<const KindRegistry>> KindRegistry::load(
    std::span<const std::filesystem::path> folders) {
    std::vector<KindSource> sources;
    for (const auto& folder : folders) {
        TRY_ASSIGN(std::vector<KindSource> more, read_kind_folder(folder, "core"));
        sources.insert(sources.end(), more.begin(), more.end());
    }
    return build(sources);
}

const KindRegistry::Kind* KindRegistry::kind_named(std::string_view kind) const {
    const auto found = kinds_.find(kind);
    return found == kinds_.end() ? nullptr : &found->second;
}

const domain::KindTraits* KindRegistry::find(std::string_view kind) const {
    const Kind* found = kind_named(kind);
    return found == nullptr ? nullptr : &found->traits;
}

std::vector<std::string> KindRegistry::names() const {
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds_) names.push_back(name);
    return names;
}

std::string KindRegistry::owner_of(std::string_view kind) const {
    const Kind* found = kind_named(kind);
    return found == nullptr ? std::string() : found->owner;
}

std::optional<Error> KindRegistry::unknown(std::string_view kind) const {
    if (kind_named(kind) != nullptr) return std::nullopt;
    Error error = malformed("there is no kind \"" + std::string(kind) + "\"", "/kind");
    error.fix = did_you_mean(kind, names());
    if (error.fix.empty()) error.fix = "'dutybook kind list' shows all";
    return error;
}

std::vector<Error> KindRegistry::validate(std::string_view kind, const Json& fields) const {
    const Kind* found = kind_named(kind);
    if (found == nullptr) return {*unknown(kind)};
    if (!fields.is_object()) return {malformed("the fields must be an object")};
    const bool clears = std::any_of(fields.begin(), fields.end(), std::mem_fn(&Json::is_null));
    if (clears) return found->schema.validate(without_nulls(fields));
    return found->schema.validate(fields);
}

Judged KindRegistry::validate(std::string_view kind, const Json& fields, const Json& before) const {
    Judged judged;
    std::vector<Error> errors = validate(kind, fields);
    if (errors.empty() || !before.is_object()) {
        judged.errors = std::move(errors);
        return judged;
    }
    std::set<std::pair<std::string, std::string>> stood;
    for (const Error& error : validate(kind, before)) stood.emplace(error.pointer, error.what);
    for (Error& error : errors) {
        const std::string field = top_level_field(error.pointer);
        // An error about the record as a whole has no field: it stands if it stood.
        const bool unchanged = field.empty() || same_field(fields, before, field);
        const bool old = unchanged && stood.contains({error.pointer, error.what});
        (old ? judged.standing : judged.errors).push_back(std::move(error));
    }
    return judged;
}

LiveKinds::LiveKinds(std::shared_ptr<const KindRegistry> registry) {
    all_.push_back(std::move(registry));
}

std::shared_ptr<const KindRegistry> LiveKinds::current() const {
    const std::lock_guard lock(mutex_);
    return all_.back();
}

void LiveKinds::replace(std::shared_ptr<const KindRegistry> registry) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(registry));
}

const domain::KindTraits* LiveKinds::find(std::string_view kind) const {
    return current()->find(kind);
}

}  // namespace dutybook::rules
