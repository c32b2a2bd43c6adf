#pragma once
// What each keyword of a schema means, as a change to the node that is being compiled. Private to
// the compiler.

#include "rules/schema_program.h"

namespace dutybook::rules {

// Gives the node of a subschema; its content is compiled later.
class NodeMaker {
public:
    virtual ~NodeMaker() = default;
    virtual Result<NodeId> node_for(const std::string& pointer, const Json& schema) = 0;
};

// `parent` is the pointer of the schema that holds the keyword. Not for "$ref".
Result<void> compile_keyword(Node& node, const std::string& keyword, const Json& value,
                             const std::string& parent, NodeMaker& maker);

}  // namespace dutybook::rules
