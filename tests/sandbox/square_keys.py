"""Every key that Square's sandbox may answer, by schema and by where it stands, with the kind of its value.

What is inside money is checked by itself.
"""

from __future__ import annotations

KEYS: dict[str, dict[str, str]] = {
    "CatalogObject": {
        "": """
            category_data:object created_at:text id:text is_deleted:truth item_data:object
            present_at_all_locations:truth present_at_location_ids:array tax_data:object type:text
            updated_at:text version:whole
        """,
        "category_data": "category_type:text is_top_level:truth name:text",
        "item_data": """
            categories:array category_id:text description:text is_archived:truth is_taxable:truth
            name:text product_type:text reporting_category:object tax_ids:array variations:array
        """,
        "item_data.categories[]": "id:text ordinal:whole",
        "item_data.reporting_category": "id:text ordinal:whole",
        "item_data.variations[]": """
            created_at:text id:text is_deleted:truth item_variation_data:object
            present_at_all_locations:truth type:text updated_at:text version:whole
        """,
        "item_data.variations[].item_variation_data": """
            item_id:text name:text ordinal:whole price_money:object pricing_type:text sellable:truth
            sku:text stockable:truth
        """,
        "tax_data": "enabled:truth inclusion_type:text name:text percentage:text",
    },
    "Location": {
        "": """
            address:object business_email:text business_hours:object business_name:text capabilities:array
            country:text created_at:text currency:text id:text language_code:text mcc:text
            merchant_id:text name:text phone_number:text status:text timezone:text type:text
        """,
        "address": "address_line_1:text country:text locality:text postal_code:text",
    },
    "Merchant": {
        "": """
            business_name:text country:text created_at:text currency:text id:text language_code:text
            main_location_id:text status:text
        """,
    },
    "Order": {
        "": """
            closed_at:text created_at:text customer_id:text discounts:array fulfillments:array id:text
            line_items:array location_id:text metadata:object net_amount_due_money:object
            net_amounts:object reference_id:text refunds:array return_amounts:object returns:array
            rounding_adjustment:object service_charges:array source:object state:text taxes:array
            tenders:array ticket_name:text total_card_surcharge_money:object total_discount_money:object
            total_money:object total_service_charge_money:object total_tax_money:object
            total_tip_money:object updated_at:text version:whole
        """,
        "discounts[]": """
            amount_money:object applied_money:object catalog_object_id:text catalog_version:whole
            name:text percentage:text scope:text type:text uid:text
        """,
        "fulfillments[]": "pickup_details:object state:text type:text uid:text",
        "fulfillments[].pickup_details": """
            note:text picked_up_at:text pickup_at:text placed_at:text recipient:object schedule_type:text
        """,
        "fulfillments[].pickup_details.recipient": """
            address:object customer_id:text display_name:text email_address:text phone_number:text
        """,
        "fulfillments[].pickup_details.recipient.address": """
            address_line_1:text country:text first_name:text last_name:text locality:text postal_code:text
        """,
        "line_items[]": """
            applied_discounts:array applied_service_charges:array applied_taxes:array
            base_price_money:object catalog_object_id:text catalog_version:whole gross_sales_money:object
            item_type:text modifiers:array name:text note:text quantity:text quantity_unit:object
            total_card_surcharge_money:object total_discount_money:object total_money:object
            total_service_charge_money:object total_tax_money:object uid:text variation_name:text
            variation_total_price_money:object
        """,
        "line_items[].applied_discounts[]": "applied_money:object discount_uid:text uid:text",
        "line_items[].applied_service_charges[]": """
            applied_money:object service_charge_uid:text uid:text
        """,
        "line_items[].applied_taxes[]": "applied_money:object tax_uid:text uid:text",
        "line_items[].modifiers[]": """
            base_price_money:object catalog_object_id:text catalog_version:whole name:text quantity:text
            total_price_money:object uid:text
        """,
        "line_items[].quantity_unit": "measurement_unit:object precision:whole",
        "line_items[].quantity_unit.measurement_unit": "type:text weight_unit:text",
        "metadata": "note:text",
        "net_amounts": """
            card_surcharge_money:object discount_money:object service_charge_money:object tax_money:object
            tip_money:object total_money:object
        """,
        "refunds[]": """
            amount_money:object created_at:text id:text location_id:text reason:text status:text
            tender_id:text transaction_id:text
        """,
        "return_amounts": """
            card_surcharge_money:object discount_money:object service_charge_money:object tax_money:object
            tip_money:object total_money:object
        """,
        "returns[]": """
            return_amounts:object return_line_items:array return_service_charges:array return_taxes:array
            return_tips:array source_order_id:text uid:text
        """,
        "returns[].return_amounts": """
            card_surcharge_money:object discount_money:object service_charge_money:object tax_money:object
            tip_money:object total_money:object
        """,
        "returns[].return_line_items[]": """
            applied_taxes:array base_price_money:object catalog_object_id:text catalog_version:whole
            gross_return_money:object item_type:text name:text quantity:text source_line_item_uid:text
            total_card_surcharge_money:object total_discount_money:object total_money:object
            total_service_charge_money:object total_tax_money:object uid:text variation_name:text
            variation_total_price_money:object
        """,
        "returns[].return_line_items[].applied_taxes[]": """
            applied_money:object tax_uid:text uid:text
        """,
        "returns[].return_service_charges[]": """
            amount_money:object applied_money:object applied_taxes:array calculation_phase:text name:text
            percentage:text scope:text source_service_charge_uid:text taxable:truth total_money:object
            total_tax_money:object treatment_type:text uid:text
        """,
        "returns[].return_service_charges[].applied_taxes[]": """
            applied_money:object tax_uid:text uid:text
        """,
        "returns[].return_taxes[]": """
            applied_money:object catalog_object_id:text catalog_version:whole name:text percentage:text
            scope:text type:text uid:text
        """,
        "returns[].return_tips[]": "applied_money:object uid:text",
        "rounding_adjustment": "amount_money:object name:text uid:text",
        "service_charges[]": """
            amount_money:object applied_money:object applied_taxes:array calculation_phase:text name:text
            percentage:text scope:text taxable:truth total_money:object total_tax_money:object
            treatment_type:text type:text uid:text
        """,
        "service_charges[].applied_taxes[]": "applied_money:object tax_uid:text uid:text",
        "source": "name:text",
        "taxes[]": """
            applied_money:object catalog_object_id:text catalog_version:whole name:text percentage:text
            scope:text type:text uid:text
        """,
        "tenders[]": """
            amount_money:object card_details:object cash_details:object created_at:text customer_id:text
            id:text location_id:text note:text payment_id:text tip_money:object transaction_id:text
            type:text
        """,
        "tenders[].card_details": "card:object entry_method:text status:text",
        "tenders[].card_details.card": """
            bin:text card_brand:text card_type:text cardholder_name:text exp_month:whole exp_year:whole
            fingerprint:text last_4:text prepaid_type:text
        """,
        "tenders[].cash_details": "buyer_tendered_money:object change_back_money:object",
    },
    "Payment": {
        "": """
            amount_money:object application_details:object approved_money:object billing_address:object
            buyer_email_address:text card_details:object cash_details:object created_at:text
            customer_id:text external_details:object id:text is_offline_payment:truth location_id:text
            note:text offline_payment_details:object order_id:text processing_fee:array
            receipt_number:text receipt_url:text refund_ids:array refunded_money:object
            shipping_address:object source_type:text status:text tip_money:object total_money:object
            updated_at:text version_token:text
        """,
        "application_details": "square_product:text",
        "billing_address": """
            address_line_1:text country:text first_name:text last_name:text locality:text postal_code:text
        """,
        "card_details": """
            auth_result_code:text avs_status:text card:object cvv_status:text entry_method:text
            statement_description:text status:text
        """,
        "card_details.card": """
            bin:text card_brand:text card_type:text cardholder_name:text exp_month:whole exp_year:whole
            fingerprint:text last_4:text prepaid_type:text
        """,
        "cash_details": "buyer_supplied_money:object change_back_money:object",
        "external_details": "source:text type:text",
        "offline_payment_details": "client_created_at:text",
        "processing_fee[]": "amount_money:object effective_at:text type:text",
        "shipping_address": """
            address_line_1:text country:text first_name:text last_name:text locality:text postal_code:text
        """,
    },
    "PaymentRefund": {
        "": """
            amount_money:object created_at:text destination_type:text id:text location_id:text
            order_id:text payment_id:text processing_fee:array reason:text status:text unlinked:truth
            updated_at:text
        """,
        "processing_fee[]": "amount_money:object effective_at:text type:text",
    },
}
