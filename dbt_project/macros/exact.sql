{#-
  Exact arithmetic. DuckDB keeps DECIMAL(18) * DECIMAL(18) in DECIMAL(18) and stops on overflow, and turns DECIMAL / x
  and avg(DECIMAL) into DOUBLE. So factors are widened first, and the only division is one of integers.
-#}

{#- Product of two decimals with up to 6 decimals each; 12 decimals, not rounded. -#}
{% macro product(left, right) -%}
    (cast({{ left }} as decimal(38, 6)) * {{ right }})
{%- endmacro %}

{#- The figure as it is stored: 6 decimals, rounded half away from zero. -#}
{% macro stored(figure) -%}
    cast(round({{ figure }}, 6) as decimal(18, 6))
{%- endmacro %}

{#-
  stored(product(left, right)). Rounding in 128 bits takes fifty times as long as in 64, where a product below a million
  has room.
-#}
{% macro stored_product(left, right) -%}
    case
        when abs({{ left }}) < 200000 and abs({{ right }}) < 5
            then {{ stored("cast(" ~ left ~ " as decimal(18, 6)) * cast(" ~ right ~ " as decimal(18, 6))") }}
        else {{ stored(product(left, right)) }}
    end
{%- endmacro %}

{#- A decimal as a whole number of millionths. -#}
{% macro micros(figure) -%}
    cast(cast({{ figure }} as decimal(38, 6)) * 1000000 as hugeint)
{%- endmacro %}

{#- A whole number of millionths as a decimal. -#}
{% macro from_micros(whole) -%}
    cast(cast({{ whole }} as hugeint) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6))
{%- endmacro %}

{#- The same of a figure below a million, in 64 bits. -#}
{% macro short_micros(figure) -%}
    cast(cast({{ figure }} as decimal(18, 6)) * 1000000 as bigint)
{%- endmacro %}

{% macro is_short(figure) -%}
    abs({{ figure }}) < 1000000
{%- endmacro %}

{#- Quotient of two whole numbers cut toward zero; null where the divisor is 0. -#}
{% macro whole_quotient(dividend, divisor) -%}
    ({{ dividend }} // nullif({{ divisor }}, 0))
{%- endmacro %}

{#- Quotient of two whole numbers (divisor >= 0) rounded half away from zero; null where the divisor is 0. -#}
{% macro rounded_quotient(dividend, divisor) -%}
    (sign({{ dividend }}) * {{ whole_quotient("(2 * abs(" ~ dividend ~ ") + " ~ divisor ~ ")", "2 * (" ~ divisor ~ ")") }})
{%- endmacro %}

{#- part / whole (decimals) rounded to 6 decimals; null where the whole is 0. -#}
{% macro rate(part, whole) -%}
    {{ from_micros(
        "case when " ~ is_short(part) ~ " and " ~ is_short(whole) ~ " then "
        ~ rounded_quotient("(" ~ short_micros(part) ~ " * 1000000)", short_micros(whole))
        ~ " else "
        ~ rounded_quotient("(" ~ micros(part) ~ " * 1000000)", micros(whole))
        ~ " end"
    ) }}
{%- endmacro %}
