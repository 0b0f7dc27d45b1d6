/** The JSON of what a Python function returns, put here by joining.py: `source` is "module:function". */
declare function fromPython(source: string): any;
