"""Who makes pictures. A provider is a module that satisfies `base`; it never sees spec, store or plan."""
