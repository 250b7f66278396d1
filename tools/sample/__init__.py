"""The bundled sample extracts, made by rule: nobody in them exists."""
