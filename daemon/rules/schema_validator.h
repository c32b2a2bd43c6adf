#pragma once
// JSON Schema (draft 7), compiled once, checked many times. Own code because the libraries at hand
// abort on bad schemas, crash on long strings or are slow (measured); held against the official
// test suite.
//
// Supported: type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength
// minLength pattern items additionalItems maxItems minItems uniqueItems contains maxProperties
// minProperties required properties patternProperties additionalProperties dependencies
// propertyNames if then else allOf anyOf oneOf not format $ref (local: "#", "#/...") definitions;
// as annotations $schema, $id and $comment (root only for $id), title, description, default,
// examples, readOnly, writeOnly, and every keyword that begins with "x-". Anything else is refused
// when compiling, by name: a misspelt keyword must not silently check nothing.
//
// Patterns are RE2's (linear in time; no look-around, no back references), with ECMA's \uXXXX.
// Formats are listed in schema_formats.h. multipleOf is exact in decimal.
//
// Bounded: schemas up to 20,000 nodes, in-place recursion is refused when compiling, a check stops
// after 2,000,000 steps or 400 nested schemas with an error that says so.

#include "base/json.h"
#include "base/result.h"

#include <memory>
#include <vector>

namespace dutybook::rules {

struct SchemaProgram;  // schema_program.h

class Schema {
public:
    // Code::Malformed with the pointer into the schema.
    static Result<Schema> compile(const Json& document);

    // All errors, at most `limit`: Code::Malformed, the pointer into the value, in `what` a
    // sentence for people without the place ("must be one of urgent, high, normal, low"). Of a
    // missing member the pointer names the member. Empty = valid. From any thread.
    std::vector<Error> validate(const Json& value, std::size_t limit = 20) const;

private:
    explicit Schema(std::shared_ptr<const SchemaProgram> program) : program_(std::move(program)) {}
    std::shared_ptr<const SchemaProgram> program_;
};

}  // namespace dutybook::rules
