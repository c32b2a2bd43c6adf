#pragma once
// What the core, the index and the fold's callers need to know of a kind, apart from its schema's
// assertions. Built by rules/ from the JSON Schema's x- keywords; plain data here.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::domain {

enum class Merge : unsigned char { Register, Set, Counter };

struct FieldTraits {
    Merge merge = Merge::Register;  // "x-merge": "set" | "counter"
    bool indexed = false;           // "x-index": true
    bool searched = true;           // strings are; "x-search": false turns it off
    bool completed = false;         // "x-completed": true: filled by the plugin, never required
    bool access = false;            // "x-access": people who may see a record behind a wall
    bool about = false;             // "x-about": ids in the value are of records that it tells of
    std::string refers;             // "x-refers": kind that the value is the id of
};

struct KindTraits {
    std::string name;
    std::string title;                 // for people
    std::string effective;             // "x-effective": field with the effective date, may be empty
    std::string privacy = "ordinary";  // "x-privacy": ordinary hr education health privileged
    bool final_at_once = false;        // "x-final": true
    std::map<std::string, FieldTraits> fields;
};

// Looks a kind up; null if unknown. Safe from any thread for as long as the catalog lives.
class KindCatalog {
public:
    virtual ~KindCatalog() = default;
    virtual const KindTraits* find(std::string_view kind) const = 0;
};

}  // namespace dutybook::domain
