#pragma once
// The kinds that this daemon knows: JSON Schemas of the core (schemas/kinds/) and of plugins, with
// the x- keywords that schemas/README.md describes. A registry never changes once it is built;
// installing a plugin builds another and LiveKinds swaps it in.

#include "base/json.h"
#include "domain/kind.h"
#include "rules/lookups.h"
#include "rules/schema_validator.h"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::rules {

// The text of one kind's schema, and where it came from (for errors, and for `kind list`).
struct KindSource {
    std::string file;  // path, for errors
    std::string text;
    std::string owner;  // "core", or a plugin's id
};

// Every *.json of a folder, sorted by name.
Result<std::vector<KindSource>> read_kind_folder(const std::filesystem::path& folder,
                                                 const std::string& owner);

// Errors of one validation, split for an edit of a record that may have been wrong before.
struct Judged {
    std::vector<Error> errors;    // at what this write changed: it is malformed
    std::vector<Error> standing;  // stood already at an unchanged field: told, never blocks
};

// What the core and the api ask of kinds; from any thread.
class Kinds : public domain::KindCatalog {
public:
    virtual std::vector<std::string> names() const = 0;  // sorted
    virtual std::string owner_of(std::string_view kind) const = 0;
    // Code::Malformed, naming the kind and near names; nothing if it is known.
    virtual std::optional<Error> unknown(std::string_view kind) const = 0;

    // `fields` as an object; members that are null count as absent (null clears a field). Up to 20
    // errors, each with a pointer into the fields ("/priority") and a sentence in `what`. An
    // unknown kind is one error.
    virtual std::vector<Error> validate(std::string_view kind, const Json& fields) const = 0;
    // The same against the record as it was: only errors below a top-level field that differs, or
    // errors that were not there before, block.
    virtual Judged validate(std::string_view kind, const Json& fields,
                            const Json& before) const = 0;

    // For `kind list`: {"kind","title","description","owner"}.
    virtual Json summary(std::string_view kind) const = 0;
    // For `kind show`: {"kind","title","description","owner","status","effective","privacy",
    // "labels","fields":[{"name","type","required",...}],"example"}. Null if unknown.
    virtual Json describe(std::string_view kind) const = 0;
    // The JSON Schema itself, as it was written.
    virtual Json schema(std::string_view kind) const = 0;
};

class KindRegistry final : public Kinds {
public:
    // Any schema bug fails the whole: Error with the file in `what`, line and pointer. Two sources
    // of one kind fail too. `lookups`: fields that are indexed because rules look records up by
    // them.
    static Result<std::shared_ptr<const KindRegistry>> build(std::span<const KindSource> sources,
                                                             const Lookups& lookups = {});
    // Every *.json of each folder, owner "core".
    static Result<std::shared_ptr<const KindRegistry>> load(
        std::span<const std::filesystem::path> folders);

    const domain::KindTraits* find(std::string_view kind) const override;
    std::vector<std::string> names() const override;
    std::string owner_of(std::string_view kind) const override;
    std::optional<Error> unknown(std::string_view kind) const override;
    std::vector<Error> validate(std::string_view kind, const Json& fields) const override;
    Judged validate(std::string_view kind, const Json& fields, const Json& before) const override;
    Json summary(std::string_view kind) const override;
    Json describe(std::string_view kind) const override;
    Json schema(std::string_view kind) const override;

private:
    struct Kind {
        domain::KindTraits traits;
        std::string owner;
        Json document;
        Schema schema;
    };
    static Result<Kind> read(const KindSource& source);
    const Kind* kind_named(std::string_view kind) const;
    std::map<std::string, Kind, std::less<>> kinds_;
};

// The registry in use, from any thread. Registries that were replaced are kept until the end of
// the program, because find() hands out pointers into them; one is a few hundred kB and there is
// one for each change of plugins.
class LiveKinds final : public Kinds {
public:
    explicit LiveKinds(std::shared_ptr<const KindRegistry> registry);
    std::shared_ptr<const KindRegistry> current() const;
    void replace(std::shared_ptr<const KindRegistry> registry);
    const domain::KindTraits* find(std::string_view kind) const override;
    std::vector<std::string> names() const override { return current()->names(); }
    std::string owner_of(std::string_view kind) const override { return current()->owner_of(kind); }
    std::optional<Error> unknown(std::string_view kind) const override {
        return current()->unknown(kind);
    }
    std::vector<Error> validate(std::string_view kind, const Json& fields) const override {
        return current()->validate(kind, fields);
    }
    Judged validate(std::string_view kind, const Json& fields, const Json& before) const override {
        return current()->validate(kind, fields, before);
    }
    Json summary(std::string_view kind) const override { return current()->summary(kind); }
    Json describe(std::string_view kind) const override { return current()->describe(kind); }
    Json schema(std::string_view kind) const override { return current()->schema(kind); }

private:
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const KindRegistry>> all_;  // the last is current; by mutex_
};

}  // namespace dutybook::rules
