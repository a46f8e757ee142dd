"""The JSON schema of a PodMonitor, made of the Python classes that were made of its definition.

The classes are read as text. They use few forms, and any other one is an error.
"""

import ast

PLAIN = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
LIMITS = {"pattern": "pattern", "min_length": "minLength", "max_length": "maxLength", "ge": "minimum", "le": "maximum"}


def schema(source: str) -> dict:
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    made: dict = {}
    refer("PodMonitor", classes, made)
    return {"$ref": "#/definitions/PodMonitor", "definitions": made}


def refer(name: str, classes: dict, made: dict) -> dict:
    """A reference to the schema of a class, which is made if it is not there."""
    if name not in made:
        made[name] = {}
        fields = [node for node in classes[name].body if isinstance(node, ast.AnnAssign)]
        if ast.unparse(classes[name].bases[0]).startswith("RootModel"):
            made[name] = form(fields[0].annotation, classes, made)[1]
        else:
            properties, required = {}, []
            for field in fields:
                alias, found = form(field.annotation, classes, made)
                properties[alias or field.target.id] = found
                if field.value is None or name == "PodMonitor" and field.target.id == "kind":
                    required.append(alias or field.target.id)
            made[name] = {
                "type": "object", "additionalProperties": False, "properties": properties, "required": required}
    return {"$ref": f"#/definitions/{name}"}


def form(node: ast.expr, classes: dict, made: dict) -> tuple[str | None, dict]:
    """The name that a type gives to its field, where it gives one, and the type's schema."""

    def of(inner: ast.expr) -> dict:
        return form(inner, classes, made)[1]

    match node:
        case ast.Name(id=name) if name in PLAIN:
            return None, {"type": PLAIN[name]}
        case ast.Name(id=name):
            return None, refer(name, classes, made)
        case ast.Attribute(attr="ObjectMeta"):
            # Checked as that of every other kind.
            return None, {"type": "object"}
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, ast.Call(keywords=words)])):
            words = {word.arg: ast.literal_eval(word.value) for word in words}
            alias = words.pop("alias", None)
            limits = {LIMITS[word]: value for word, value in words.items()}
            return alias, of(inner) | limits
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return None, of(inner)
        case ast.Subscript(value=ast.Name(id="List"), slice=inner):
            return None, {"type": "array", "items": of(inner)}
        case ast.Subscript(value=ast.Name(id="Dict"), slice=ast.Tuple(elts=[_, inner])):
            return None, {"type": "object", "additionalProperties": of(inner)}
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=parts)):
            return None, {"anyOf": [of(part) for part in parts]}
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=parts)):
            return None, {"enum": [ast.literal_eval(part) for part in parts]}
        case ast.Subscript(value=ast.Name(id="Literal"), slice=part):
            return None, {"enum": [ast.literal_eval(part)]}
    raise ValueError(f"no form that is known: {ast.unparse(node)}")
